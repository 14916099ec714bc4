package io.github.diffusion4j.noise;

/**
 * The 32-bit Mersenne Twister mt19937 (Matsumoto and Nishimura 1998), seeded by its standard
 * initialisation. Both torch on the CPU and NumPy's RandomState draw from it.
 */
final class MersenneTwister {

  private static final int SIZE = 624;
  private static final int SHIFT = 397;
  private static final int MATRIX = 0x9908b0df;
  private static final int UPPER = 0x80000000;
  private static final int LOWER = 0x7fffffff;

  private final int[] state = new int[SIZE];
  private final int[] words = new int[SIZE];
  private int next = SIZE;

  /** Seeds the state with the low 32 bits of {@code seed}. */
  MersenneTwister(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < SIZE; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  /** The next word; all 32 bits are random. */
  int next() {
    if (next == SIZE) {
      generate();
    }
    return words[next++];
  }

  /** The next {@code count} words at the beginning of {@code dst}. */
  void fill(int[] dst, int count) {
    int done = 0;
    while (done < count) {
      if (next == SIZE) {
        generate();
      }
      int some = Math.min(count - done, SIZE - next);
      System.arraycopy(words, next, dst, done, some);
      next += some;
      done += some;
    }
  }

  /** Two words as one number, the first one above. */
  long nextLong() {
    long upper = next();
    return (upper << 32) | (next() & 0xffffffffL);
  }

  /** Renews the state and all words: loops without branches, which vectorise. */
  private void generate() {
    for (int i = 0; i < SIZE - SHIFT; i++) {
      state[i] = state[i + SHIFT] ^ twist(state[i], state[i + 1]);
    }
    for (int i = SIZE - SHIFT; i < SIZE - 1; i++) {
      state[i] = state[i + SHIFT - SIZE] ^ twist(state[i], state[i + 1]);
    }
    state[SIZE - 1] = state[SHIFT - 1] ^ twist(state[SIZE - 1], state[0]);
    for (int i = 0; i < SIZE; i++) {
      int y = state[i];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      words[i] = y ^ (y >>> 18);
    }
    next = 0;
  }

  private static int twist(int upper, int lower) {
    int y = (upper & UPPER) | (lower & LOWER);
    return (y >>> 1) ^ (-(y & 1) & MATRIX);
  }
}
