package io.github.diffusion4j.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is drawn many values at a time equals the same drawn one by one. */
class BulkNoiseTest {

  private static final long SEED = 3;
  private static final int[] COUNTS = {16, 17, 31, 32, 100, 1023, 1024, 1025, 1040, 2063, 5000};
  private static final float LIMIT = 3e-7f;

  /** mt19937 by its definition, a word at a time from the 624 before. */
  private static int[] words(int count) {
    int[] x = new int[624 + count];
    x[0] = (int) SEED;
    for (int i = 1; i < 624; i++) {
      x[i] = 1812433253 * (x[i - 1] ^ (x[i - 1] >>> 30)) + i;
    }
    int[] words = new int[count];
    for (int i = 0; i < count; i++) {
      int y = (x[i] & 0x80000000) | (x[i + 1] & 0x7fffffff);
      y = x[i + 397] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
      x[i + 624] = y;
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      words[i] = y ^ (y >>> 18);
    }
    return words;
  }

  @Test
  void wordsInBulkEqualTheDefinition() {
    int[] expected = words(6000);
    MersenneTwister generator = new MersenneTwister(SEED);
    int[] drawn = new int[2000];
    int at = 0;
    for (int count : new int[] {1, 0, 600, 23, 1, 2000, 623, 624, 1248, 17}) {
      generator.fill(drawn, count);
      for (int i = 0; i < count; i++) {
        assertEquals(expected[at], drawn[i], "word " + at);
        at++;
      }
      assertEquals(expected[at], generator.next(), "word " + at);
      at++;
    }
  }

  private static void pair(float[] dst, int at, int radius, int angle) {
    double size = Math.sqrt(-2 * Math.log(1f - (radius & 0xffffff) * 0x1p-24f));
    float turn = (float) (2 * Math.PI) * ((angle & 0xffffff) * 0x1p-24f);
    dst[at] = (float) (size * Math.cos(turn));
    dst[at + 8] = (float) (size * Math.sin(turn));
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void torchEqualsTheLoopOverBlocks(Precision precision) {
    int[] words = words(20000);
    TorchNoise noise = new TorchNoise(SEED);
    int next = 0;
    for (int count : COUNTS) {
      float[] expected = new float[count];
      int start = next;
      for (int from = 0; from + 16 <= count; from += 16) {
        for (int i = 0; i < 8; i++) {
          pair(expected, from + i, words[start + from + i], words[start + from + i + 8]);
        }
      }
      next += precision == Precision.FLOAT32 ? count : count - count % 16;
      if (count % 16 != 0) {
        for (int i = 0; i < 8; i++) {
          pair(expected, count - 16 + i, words[next + i], words[next + i + 8]);
        }
        next += 16;
      }
      float[] drawn = new float[count];
      noise.fill(drawn, precision);
      for (int i = 0; i < count; i++) {
        float unrounded = expected[i];
        float limit = LIMIT * Math.max(1, Math.abs(unrounded));
        float low = precision.round(unrounded - limit);
        float high = precision.round(unrounded + limit);
        assertEquals((low + high) / 2, drawn[i], (high - low) / 2 + limit, count + ": " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {256, 512, 768, 1 << 20})
  void philoxEqualsTheLoopOverThreads(int threads) {
    PhiloxNoise noise = new PhiloxNoise(SEED, threads);
    Philox words = new Philox(1);
    long offset = 0;
    for (int count : COUNTS) {
      int grid = Math.min((count + 255) / 256 * 256, threads);
      float[] expected = new float[count];
      int rounds = (count + 4 * grid - 1) / (4 * grid);
      for (int i = 0; i < count; i++) {
        int row = i / grid % 4;
        words.generate(SEED, offset + i / (4 * grid), i % grid, 1);
        double u = words.word(row / 2 * 2, 0) * 2.3283064e-10 + 2.3283064e-10 / 2;
        double unit = 2.3283064e-10 * 6.2831855;
        double v = words.word(row / 2 * 2 + 1, 0) * unit + unit / 2;
        double size = Math.sqrt(-2 * Math.log(u));
        expected[i] = (float) (size * (row % 2 == 0 ? Math.sin(v) : Math.cos(v)));
      }
      offset += rounds;
      float[] drawn = new float[count];
      noise.fill(drawn);
      assertArrayEquals(expected, drawn, LIMIT, "count " + count);
    }
  }
}
