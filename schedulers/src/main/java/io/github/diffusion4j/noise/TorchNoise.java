package io.github.diffusion4j.noise;

/**
 * Noise as {@code torch.randn} draws it with a CPU generator, value for value: seed and order of
 * draws as in the reference give the same picture. Not thread-safe.
 *
 * <p>torch takes its numbers from mt19937 in two ways, by the size of the tensor: below 16 values
 * one at a time in double precision, from 16 on in blocks of 16. So one {@link #fill(float[])} of
 * 32 values is not two of 16, and the stream must be drawn whole tensor by whole tensor.
 */
public final class TorchNoise implements NoiseSource {

  private static final int BLOCK = 16;
  private static final int HALF = BLOCK / 2;
  private static final int CHUNK = 2 * BoxMuller.CAPACITY;
  private static final int FRACTION = (1 << 24) - 1;
  private static final float TWO_PI = (float) (2 * Math.PI);

  private final MersenneTwister words;
  private final int[] chunk = new int[CHUNK];
  private final BoxMuller pairs = new BoxMuller();
  private double kept;
  private boolean keeps;

  /**
   * A generator as {@code torch.Generator("cpu").manual_seed(seed)}.
   *
   * @param seed any number; torch uses its low 32 bits
   */
  public TorchNoise(long seed) {
    words = new MersenneTwister(seed);
  }

  @Override
  public void fill(float[] dst) {
    fill(dst, Precision.FLOAT32);
  }

  /**
   * Draws a tensor of normal values in a given type.
   *
   * @param dst overwritten with standard normal values that {@code precision} holds exactly
   * @param precision the tensor's type
   */
  public void fill(float[] dst, Precision precision) {
    if (dst.length < BLOCK) {
      for (int i = 0; i < dst.length; i++) {
        dst[i] = precision.round((float) nextNormal());
      }
    } else {
      fillBlocks(dst, precision == Precision.FLOAT32);
      if (precision != Precision.FLOAT32) {
        for (int i = 0; i < dst.length; i++) {
          dst[i] = precision.round(dst[i]);
        }
      }
    }
  }

  /**
   * Draws a tensor of normal values in double precision ({@code dtype=torch.float64}).
   *
   * @param dst overwritten with standard normal values
   */
  public void fill(double[] dst) {
    if (dst.length < BLOCK) {
      for (int i = 0; i < dst.length; i++) {
        dst[i] = nextNormal();
      }
      return;
    }
    fillUniform(dst);
    for (int from = 0; from + BLOCK <= dst.length; from += BLOCK) {
      toNormal(dst, from);
    }
    if (dst.length % BLOCK != 0) {
      int from = dst.length - BLOCK;
      for (int i = from; i < dst.length; i++) {
        dst[i] = nextDouble();
      }
      toNormal(dst, from);
    }
  }

  /**
   * Draws {@code torch.rand} in a given type.
   *
   * @param dst overwritten with values in [0, 1)
   * @param precision the tensor's type
   */
  public void fillUniform(float[] dst, Precision precision) {
    for (int i = 0; i < dst.length; i++) {
      float value = precision.round(nextFloat());
      dst[i] = value == 1f ? 0f : value;
    }
  }

  /**
   * Draws {@code torch.rand} in double precision.
   *
   * @param dst overwritten with values in [0, 1)
   */
  public void fillUniform(double[] dst) {
    for (int i = 0; i < dst.length; i++) {
      dst[i] = nextDouble();
    }
  }

  /**
   * Draws {@code torch.randint(low, high)}.
   *
   * @param dst overwritten with values from {@code low} to {@code high - 1}
   * @param low smallest value
   * @param high one more than the largest value
   */
  public void fillIntegers(long[] dst, long low, long high) {
    if (high <= low) {
      throw new IllegalArgumentException("high must be above low " + low + ", got " + high);
    }
    long range = high - low;
    boolean wide = Long.compareUnsigned(range, 1L << 28) >= 0;
    for (int i = 0; i < dst.length; i++) {
      long random = wide ? words.nextLong() : words.next() & 0xffffffffL;
      dst[i] = low + Long.remainderUnsigned(random, range);
    }
  }

  /**
   * Draws {@code torch.randperm(count)}.
   *
   * @param count number of values, at least 0
   * @return the numbers from 0 to {@code count - 1} in random order
   */
  public long[] permutation(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("count must be at least 0, got " + count);
    }
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = i;
    }
    for (int i = 0; i < count - 1; i++) {
      int other = i + Integer.remainderUnsigned(words.next(), count - i);
      long value = values[i];
      values[i] = values[other];
      values[other] = value;
    }
    return values;
  }

  /**
   * Fills blocks of 16, the last one up to the end, where it may overlap the one before. In single
   * precision torch draws uniform values for the whole tensor first, so also for the rest that the
   * last block then draws anew.
   */
  private void fillBlocks(float[] dst, boolean drawsRest) {
    int rest = dst.length % BLOCK;
    int whole = dst.length - rest;
    for (int from = 0; from < whole; from += CHUNK) {
      fillChunk(dst, from, Math.min(CHUNK, whole - from));
    }
    if (rest != 0) {
      if (drawsRest) {
        words.fill(chunk, rest);
      }
      fillChunk(dst, dst.length - BLOCK, BLOCK);
    }
  }

  /** Whole blocks: the first half of each becomes the radii, the second half the angles. */
  private void fillChunk(float[] dst, int from, int count) {
    words.fill(chunk, count);
    int half = count / 2;
    for (int pair = 0; pair < half; pair++) {
      int at = firstOf(pair);
      int radius = FRACTION + 1 - (chunk[at] & FRACTION);
      float turn = (chunk[at + HALF] & FRACTION) * 0x1p-24f;
      pairs.set(pair, radius * 0x1p-24, TWO_PI * turn);
    }
    pairs.transform(half);
    for (int pair = 0; pair < half; pair++) {
      int at = from + firstOf(pair);
      dst[at] = (float) pairs.cosine(pair);
      dst[at + HALF] = (float) pairs.sine(pair);
    }
  }

  /** Where a pair's first value lies, when pairs are counted over blocks. */
  private static int firstOf(int pair) {
    return 2 * pair - (pair & (HALF - 1));
  }

  private static void toNormal(double[] values, int from) {
    for (int i = from; i < from + HALF; i++) {
      double radius = Math.sqrt(-2 * Math.log(1 - values[i]));
      double angle = 2 * Math.PI * values[i + HALF];
      values[i] = radius * Math.cos(angle);
      values[i + HALF] = radius * Math.sin(angle);
    }
  }

  private double nextNormal() {
    if (keeps) {
      keeps = false;
      return kept;
    }
    double angle = 2 * Math.PI * nextDouble();
    double radius = Math.sqrt(-2 * Math.log1p(-nextDouble()));
    kept = radius * Math.sin(angle);
    keeps = true;
    return radius * Math.cos(angle);
  }

  private float nextFloat() {
    return (words.next() & FRACTION) * 0x1p-24f;
  }

  private double nextDouble() {
    return (words.nextLong() & ((1L << 53) - 1)) * 0x1p-53;
  }
}
