package io.github.diffusion4j.noise;

/**
 * Noise as {@code torch.randn} draws it with a CUDA generator: Philox4x32-10 (Salmon et al. 2011),
 * one stream for each thread of the device. Not thread-safe.
 *
 * <p>Up to as many values as the device has resident threads the result is the same on every
 * device; larger tensors depend on that number.
 */
public final class PhiloxNoise implements NoiseSource {

  private static final int THREAD_BLOCK = 256;
  private static final int CHUNK = BoxMuller.CAPACITY;
  private static final double WORD_TO_UNIT = 2.3283064e-10;
  private static final double WORD_TO_ANGLE = WORD_TO_UNIT * 6.2831855;

  private final long seed;
  private final int threads;
  private final Philox words = new Philox(CHUNK);
  private final BoxMuller pairs = new BoxMuller();
  private long offset;

  /**
   * A generator of a device whose threads never run out.
   *
   * @param seed any number, all 64 bits are used
   */
  public PhiloxNoise(long seed) {
    this(seed, Integer.MAX_VALUE / THREAD_BLOCK * THREAD_BLOCK);
  }

  /**
   * A generator of a certain device.
   *
   * @param seed any number, all 64 bits are used
   * @param threads resident threads of the device: multiprocessors times the threads that one can
   *     hold (rounded down to a multiple of 256), for example 221184 for 108 multiprocessors of
   *     2048; at least 256
   */
  public PhiloxNoise(long seed, int threads) {
    if (threads < THREAD_BLOCK || threads % THREAD_BLOCK != 0) {
      throw new IllegalArgumentException(
          "threads must be a multiple of " + THREAD_BLOCK + ", got " + threads);
    }
    this.seed = seed;
    this.threads = threads;
  }

  @Override
  public void fill(float[] dst) {
    long count = dst.length;
    if (count == 0) {
      return;
    }
    long grid = Math.min((count + THREAD_BLOCK - 1) / THREAD_BLOCK * THREAD_BLOCK, threads);
    long rounds = (count + Philox.WORDS * grid - 1) / (Philox.WORDS * grid);
    for (long round = 0; round < rounds; round++) {
      long first = round * Philox.WORDS * grid;
      long drawing = Math.min(grid, count - first);
      for (long thread = 0; thread < drawing; thread += CHUNK) {
        int some = (int) Math.min(CHUNK, drawing - thread);
        words.generate(seed, offset + round, thread, some);
        for (int pair = 0; pair < 2; pair++) {
          long at = first + thread + 2 * pair * grid;
          setPairs(pair, room(dst, at, some));
          storePairs(dst, at, grid, some);
        }
      }
    }
    offset += rounds;
  }

  /** Transforms one of the two pairs of the first threads. */
  private void setPairs(int pair, int count) {
    for (int i = 0; i < count; i++) {
      double u = words.word(2 * pair, i) * WORD_TO_UNIT + WORD_TO_UNIT / 2;
      double v = words.word(2 * pair + 1, i) * WORD_TO_ANGLE + WORD_TO_ANGLE / 2;
      pairs.set(i, u, v);
    }
    pairs.transform(count);
  }

  /** Sines and, a grid further on, cosines of a pair of each thread, as far as there is room. */
  private void storePairs(float[] dst, long first, long grid, int some) {
    int sines = room(dst, first, some);
    for (int i = 0; i < sines; i++) {
      dst[(int) first + i] = (float) pairs.sine(i);
    }
    int cosines = room(dst, first + grid, some);
    for (int i = 0; i < cosines; i++) {
      dst[(int) (first + grid) + i] = (float) pairs.cosine(i);
    }
  }

  private static int room(float[] dst, long from, int most) {
    return (int) Math.max(0, Math.min(most, dst.length - from));
  }
}
