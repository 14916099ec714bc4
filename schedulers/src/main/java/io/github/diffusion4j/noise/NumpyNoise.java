package io.github.diffusion4j.noise;

/**
 * Noise as NumPy's legacy {@code RandomState(seed).randn} draws it: mt19937 and the polar method.
 * Older ONNX pipelines and Apple's used it. Not thread-safe.
 */
public final class NumpyNoise implements NoiseSource {

  private final MersenneTwister words;
  private double kept;
  private boolean keeps;

  /**
   * A generator as {@code numpy.random.RandomState(seed)}.
   *
   * @param seed 0 to 2³² - 1, as NumPy allows
   */
  public NumpyNoise(long seed) {
    if (seed < 0 || seed > 0xffffffffL) {
      throw new IllegalArgumentException(
          "seed of NumPy's RandomState must be from 0 to 4294967295, got " + seed);
    }
    words = new MersenneTwister(seed);
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
   * Draws {@code random_sample}.
   *
   * @param dst overwritten with values in [0, 1)
   */
  public void fillUniform(double[] dst) {
    for (int i = 0; i < dst.length; i++) {
      dst[i] = nextDouble();
    }
  }

  private double nextNormal() {
    if (keeps) {
      keeps = false;
      return kept;
    }
    double x;
    double y;
    double square;
    do {
      x = 2 * nextDouble() - 1;
      y = 2 * nextDouble() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = Math.sqrt(-2 * Math.log(square) / square);
    kept = factor * x;
    keeps = true;
    return factor * y;
  }

  private double nextDouble() {
    long upper = words.next() >>> 5;
    long lower = words.next() >>> 6;
    return (upper * 67108864.0 + lower) / 9007199254740992.0;
  }
}
