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
  private static final int WORDS = 4;
  private static final int ROUNDS = 10;
  private static final double WORD_TO_UNIT = 2.3283064e-10;
  private static final double WORD_TO_ANGLE = WORD_TO_UNIT * 6.2831855;

  private final long seed;
  private final int threads;
  private final int[] words = new int[WORDS];
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
    long rounds = (count + WORDS * grid - 1) / (WORDS * grid);
    for (long round = 0; round < rounds; round++) {
      for (long thread = 0; thread < grid; thread++) {
        long at = round * WORDS * grid + thread;
        if (at >= count) {
          break;
        }
        generate(words, seed, thread, offset + round);
        for (int pair = 0; pair < WORDS; pair += 2) {
          storePair(dst, at + pair * grid, grid, words[pair], words[pair + 1]);
        }
      }
    }
    offset += rounds;
  }

  private static void storePair(float[] dst, long first, long grid, int x, int y) {
    if (first >= dst.length) {
      return;
    }
    double u = (x & 0xffffffffL) * WORD_TO_UNIT + WORD_TO_UNIT / 2;
    double v = (y & 0xffffffffL) * WORD_TO_ANGLE + WORD_TO_ANGLE / 2;
    double radius = Math.sqrt(-2 * Math.log(u));
    dst[(int) first] = (float) (radius * Math.sin(v));
    if (first + grid < dst.length) {
      dst[(int) (first + grid)] = (float) (radius * Math.cos(v));
    }
  }

  /** Writes the four words of one thread at one counter offset. */
  static void generate(int[] words, long seed, long thread, long offset) {
    int keyLow = (int) seed;
    int keyHigh = (int) (seed >>> 32);
    int a = (int) offset;
    int b = (int) (offset >>> 32);
    int c = (int) thread;
    int d = (int) (thread >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long first = (a & 0xffffffffL) * 0xD2511F53L;
      long second = (c & 0xffffffffL) * 0xCD9E8D57L;
      a = (int) (second >>> 32) ^ b ^ keyLow;
      c = (int) (first >>> 32) ^ d ^ keyHigh;
      b = (int) second;
      d = (int) first;
      keyLow += 0x9E3779B9;
      keyHigh += 0xBB67AE85;
    }
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
  }
}
