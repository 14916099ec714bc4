package io.github.diffusion4j.noise;

import java.util.Arrays;

/**
 * The counter-based generator Philox4x32-10 (Salmon et al. 2011), for many neighbouring counters at
 * once: each round is one loop over all of them, which vectorises. Holds scratch, so not
 * thread-safe.
 */
final class Philox {

  /** Words of one counter. */
  static final int WORDS = 4;

  private static final int ROUNDS = 10;
  private static final long LOW = 0xffffffffL;

  private final long[] first;
  private final long[] second;
  private final long[] third;
  private final long[] fourth;

  /** A generator for at most {@code capacity} counters at once. */
  Philox(int capacity) {
    first = new long[capacity];
    second = new long[capacity];
    third = new long[capacity];
    fourth = new long[capacity];
  }

  /** Generates the words of {@code count} threads from one on, at one offset of their streams. */
  void generate(long seed, long offset, long thread, int count) {
    Arrays.fill(first, 0, count, offset & LOW);
    Arrays.fill(second, 0, count, offset >>> 32);
    for (int i = 0; i < count; i++) {
      third[i] = (thread + i) & LOW;
      fourth[i] = (thread + i) >>> 32;
    }
    int keyLow = (int) seed;
    int keyHigh = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      round(count, keyLow & LOW, keyHigh & LOW);
      keyLow += 0x9E3779B9;
      keyHigh += 0xBB67AE85;
    }
  }

  /**
   * A word of the last threads generated.
   *
   * @param word 0 to 3
   * @param thread counted from the first of them
   * @return the word, unsigned
   */
  long word(int word, int thread) {
    return switch (word) {
      case 0 -> first[thread];
      case 1 -> second[thread];
      case 2 -> third[thread];
      default -> fourth[thread];
    };
  }

  private void round(int count, long keyLow, long keyHigh) {
    for (int i = 0; i < count; i++) {
      long low = first[i] * 0xD2511F53L;
      long high = third[i] * 0xCD9E8D57L;
      first[i] = (high >>> 32) ^ second[i] ^ keyLow;
      third[i] = (low >>> 32) ^ fourth[i] ^ keyHigh;
      second[i] = high & LOW;
      fourth[i] = low & LOW;
    }
  }
}
