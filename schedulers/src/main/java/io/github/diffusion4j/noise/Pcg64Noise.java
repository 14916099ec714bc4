package io.github.diffusion4j.noise;

/**
 * Noise as NumPy's {@code default_rng(seed).standard_normal} draws it: PCG64 (O'Neill 2014, 128
 * bits of state, XSL-RR output) and a ziggurat of 256 layers (Marsaglia and Tsang 2000). Not
 * thread-safe.
 */
public final class Pcg64Noise implements NoiseSource {

  private static final long MULTIPLIER_HIGH = 2549297995355413924L;
  private static final long MULTIPLIER_LOW = 4865540595714422341L;
  private static final double EDGE = 3.6541528853610088;

  private final long incrementHigh;
  private final long incrementLow;
  private long high;
  private long low;

  /**
   * A generator as {@code numpy.random.default_rng(seed)}.
   *
   * @param seed at least 0
   */
  public Pcg64Noise(long seed) {
    if (seed < 0) {
      throw new IllegalArgumentException(
          "seed of NumPy's default_rng must be at least 0, got " + seed);
    }
    int[] words = new SeedSequence(seed).generate(8);
    incrementHigh = (join(words, 4) << 1) | (join(words, 6) >>> 63);
    incrementLow = (join(words, 6) << 1) | 1;
    step();
    add(join(words, 0), join(words, 2));
    step();
  }

  @Override
  public void fill(float[] dst) {
    for (int i = 0; i < dst.length; i++) {
      dst[i] = (float) nextNormal();
    }
  }

  /**
   * Draws {@code standard_normal}.
   *
   * @param dst overwritten with standard normal values
   */
  public void fill(double[] dst) {
    for (int i = 0; i < dst.length; i++) {
      dst[i] = nextNormal();
    }
  }

  /**
   * Draws {@code random}.
   *
   * @param dst overwritten with values in [0, 1)
   */
  public void fillUniform(double[] dst) {
    for (int i = 0; i < dst.length; i++) {
      dst[i] = nextDouble();
    }
  }

  /** The next raw word; all 64 bits are random. */
  long next() {
    step();
    return Long.rotateRight(high ^ low, (int) (high >>> 58));
  }

  private double nextDouble() {
    return (next() >>> 11) * 0x1p-53;
  }

  private double nextNormal() {
    while (true) {
      long word = next();
      int layer = (int) (word & 255);
      boolean negative = (word & 256) != 0;
      long k = (word >>> 9) & ((1L << 52) - 1);
      double x = k * Ziggurat.WIDTH[layer];
      if (k < Ziggurat.INSIDE[layer]) {
        return negative ? -x : x;
      }
      if (layer == 0) {
        return (k & 256) != 0 ? -nextTail() : nextTail();
      }
      double below = Ziggurat.HEIGHT[layer - 1] - Ziggurat.HEIGHT[layer];
      if (below * nextDouble() + Ziggurat.HEIGHT[layer] < Math.exp(-0.5 * x * x)) {
        return negative ? -x : x;
      }
    }
  }

  private double nextTail() {
    while (true) {
      double x = -Math.log1p(-nextDouble()) / EDGE;
      double y = -Math.log1p(-nextDouble());
      if (2 * y > x * x) {
        return EDGE + x;
      }
    }
  }

  private void step() {
    long productHigh =
        Math.multiplyHigh(low, MULTIPLIER_LOW)
            + (low < 0 ? MULTIPLIER_LOW : 0)
            + low * MULTIPLIER_HIGH
            + high * MULTIPLIER_LOW;
    low *= MULTIPLIER_LOW;
    high = productHigh;
    add(incrementHigh, incrementLow);
  }

  private void add(long otherHigh, long otherLow) {
    long sum = low + otherLow;
    high += otherHigh + (Long.compareUnsigned(sum, low) < 0 ? 1 : 0);
    low = sum;
  }

  private static long join(int[] words, int at) {
    return (words[at] & 0xffffffffL) | ((long) words[at + 1] << 32);
  }

  /** Tables of the layers, of equal area under the normal density. */
  private static final class Ziggurat {
    static final int LAYERS = 256;
    static final long[] INSIDE = new long[LAYERS];
    static final double[] WIDTH = new double[LAYERS];
    static final double[] HEIGHT = new double[LAYERS];

    static {
      double area = EDGE * density(EDGE) + tailArea();
      double d = EDGE;
      double q = area / density(d);
      INSIDE[0] = (long) (d / q * 0x1p52);
      INSIDE[1] = 0;
      WIDTH[0] = q * 0x1p-52;
      WIDTH[LAYERS - 1] = d * 0x1p-52;
      HEIGHT[0] = 1;
      HEIGHT[LAYERS - 1] = density(d);
      for (int i = LAYERS - 2; i >= 1; i--) {
        double narrower = Math.sqrt(-2 * Math.log(area / d + density(d)));
        INSIDE[i + 1] = (long) (narrower / d * 0x1p52);
        d = narrower;
        HEIGHT[i] = density(d);
        WIDTH[i] = d * 0x1p-52;
      }
    }

    private static double density(double x) {
      return Math.exp(-0.5 * x * x);
    }

    /** Continued fraction of the tail, Abramowitz and Stegun 26.2.14, from the end. */
    private static double tailArea() {
      double fraction = EDGE;
      for (int k = 200; k >= 1; k--) {
        fraction = EDGE + k / fraction;
      }
      return density(EDGE) / fraction;
    }
  }
}
