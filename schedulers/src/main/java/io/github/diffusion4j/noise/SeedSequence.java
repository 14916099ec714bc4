package io.github.diffusion4j.noise;

/** NumPy's {@code SeedSequence}: spreads a seed over as many words as a generator needs. */
final class SeedSequence {

  private static final int POOL = 4;

  private final int[] pool = new int[POOL];
  private int constant = 0x43b0d7e5;

  /** Mixes the bits of {@code seed}, taken as an unsigned number. */
  SeedSequence(long seed) {
    int[] entropy =
        seed >>> 32 == 0 ? new int[] {(int) seed} : new int[] {(int) seed, (int) (seed >>> 32)};
    for (int i = 0; i < POOL; i++) {
      pool[i] = hash(i < entropy.length ? entropy[i] : 0);
    }
    for (int from = 0; from < POOL; from++) {
      for (int to = 0; to < POOL; to++) {
        if (from != to) {
          pool[to] = mix(pool[to], hash(pool[from]));
        }
      }
    }
  }

  /** The first {@code count} words of state. */
  int[] generate(int count) {
    int[] words = new int[count];
    int c = 0x8b51f9dd;
    for (int i = 0; i < count; i++) {
      int value = pool[i % POOL] ^ c;
      c *= 0x58f38ded;
      value *= c;
      words[i] = value ^ (value >>> 16);
    }
    return words;
  }

  private int hash(int word) {
    int value = word ^ constant;
    constant *= 0x931e8875;
    value *= constant;
    return value ^ (value >>> 16);
  }

  private static int mix(int x, int y) {
    int result = 0xca01f9dd * x - 0x4973f715 * y;
    return result ^ (result >>> 16);
  }
}
