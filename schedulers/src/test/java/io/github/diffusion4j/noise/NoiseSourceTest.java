package io.github.diffusion4j.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws of the noise sources that no reference gives values for. */
class NoiseSourceTest {

  private static final int MANY = 20000;

  private static float[] draw(NoiseSource noise, int count) {
    float[] values = new float[count];
    noise.fill(values);
    return values;
  }

  private static void assertNormal(float[] values) {
    double mean = 0;
    double square = 0;
    for (float value : values) {
      mean += value / values.length;
      square += (double) value * value / values.length;
    }
    assertEquals(0, mean, 5 / Math.sqrt(values.length), "mean");
    assertEquals(1, square, 5 * Math.sqrt(2.0 / values.length), "variance");
  }

  @ParameterizedTest
  @EnumSource(NoiseKind.class)
  void everyKindIsNormalAndRepeats(NoiseKind kind) {
    float[] values = draw(kind.create(5), MANY);
    assertNormal(values);
    assertArrayEquals(values, draw(kind.create(5), MANY));
    assertTrue(!Arrays.equals(values, draw(kind.create(6), MANY)));
    assertEquals(kind, NoiseKind.of(kind.label().toUpperCase(java.util.Locale.ROOT)));
    assertEquals(0, draw(kind.create(5), 0).length);
  }

  @Test
  void unknownKindIsAnErrorThatListsTheKnown() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> NoiseKind.of("dice")).getMessage();
    assertTrue(message.contains("torch-cpu, torch-cuda, numpy"), message);
    assertTrue(message.endsWith("got dice"), message);
  }

  @Test
  void seedsThatTheReferenceRefusesAreErrors() {
    assertThrows(IllegalArgumentException.class, () -> NoiseKind.NUMPY.create(1L << 32));
    assertThrows(IllegalArgumentException.class, () -> NoiseKind.NUMPY.create(-1));
    assertThrows(IllegalArgumentException.class, () -> NoiseKind.NUMPY_PCG64.create(-1));
    assertThrows(IllegalArgumentException.class, () -> new PhiloxNoise(1, 100));
    assertArrayEquals(draw(new TorchNoise(5), 20), draw(new TorchNoise((1L << 32) + 5), 20));
  }

  @Test
  void anyGeneratorOfThePlatformWillDo() {
    assertNormal(draw(NoiseSource.of(new SplittableRandom(3)), MANY));
  }

  @Test
  void perImageEqualsTheImagesAlone() {
    float[] together =
        draw(NoiseSource.perImage(List.of(new TorchNoise(1), new TorchNoise(2))), 50);
    assertArrayEquals(draw(new TorchNoise(1), 25), Arrays.copyOf(together, 25));
    assertArrayEquals(draw(new TorchNoise(2), 25), Arrays.copyOfRange(together, 25, 50));
    NoiseSource three =
        NoiseSource.perImage(List.of(new TorchNoise(1), new TorchNoise(2), new TorchNoise(3)));
    assertThrows(IllegalArgumentException.class, () -> draw(three, 50));
    assertThrows(IllegalArgumentException.class, () -> NoiseSource.perImage(List.of()));
  }

  @Test
  void replayHandsOutInOrderAndNoMore() {
    float[] first = {1, 2};
    NoiseSource noise = NoiseSource.replay(List.of(first, new float[] {3}));
    first[0] = 9;
    assertArrayEquals(new float[] {1, 2}, draw(noise, 2));
    assertThrows(IllegalArgumentException.class, () -> draw(noise, 2));
    assertArrayEquals(new float[] {3}, draw(noise, 1));
    assertThrows(IllegalStateException.class, () -> draw(noise, 1));
  }

  @Test
  void slerpLeadsFromOneSeedToTheOther() {
    float[] base = draw(new TorchNoise(1), MANY);
    float[] other = draw(new TorchNoise(2), MANY);
    assertArrayEquals(base, draw(slerp(0), MANY), 1e-6f);
    assertArrayEquals(other, draw(slerp(1), MANY), 1e-6f);
    assertNormal(draw(slerp(0.5), MANY));
    NoiseSource same = NoiseSource.slerp(new TorchNoise(1), new TorchNoise(1), 0.3);
    assertArrayEquals(base, draw(same, MANY), 1e-6f);
    assertThrows(IllegalArgumentException.class, () -> slerp(1.1));
  }

  private static NoiseSource slerp(double strength) {
    return NoiseSource.slerp(new TorchNoise(1), new TorchNoise(2), strength);
  }

  private static float[] increment(BrownianTree path, double from, double to) {
    float[] values = new float[MANY];
    path.fill(values, from, to);
    return values;
  }

  @Test
  void brownianIncrementsAddUpInAnyOrder() {
    BrownianTree path = new BrownianTree(4, 0.03, 14.6);
    float[] whole = increment(path, 14.6, 1.7);
    float[] second = increment(path, 5.2, 1.7);
    float[] first = increment(path, 14.6, 5.2);
    for (int i = 0; i < MANY; i++) {
      double sum = first[i] * Math.sqrt(14.6 - 5.2) + second[i] * Math.sqrt(5.2 - 1.7);
      assertEquals(whole[i] * Math.sqrt(14.6 - 1.7), sum, 1e-4);
    }
    assertArrayEquals(first, increment(new BrownianTree(4, 0.03, 14.6), 14.6, 5.2));
    float[] back = increment(path, 5.2, 14.6);
    for (int i = 0; i < MANY; i++) {
      assertEquals(-first[i], back[i]);
    }
  }

  @Test
  void brownianIncrementsAreNormalAndIndependent() {
    BrownianTree path = new BrownianTree(4, 0.03, 14.6);
    float[] first = increment(path, 14.6, 14.2);
    float[] second = increment(path, 14.2, 3);
    assertNormal(first);
    assertNormal(second);
    assertNormal(increment(path, 0.03, 0.031));
    double correlation = 0;
    for (int i = 0; i < MANY; i++) {
      correlation += first[i] * second[i] / MANY;
    }
    assertEquals(0, correlation, 5 / Math.sqrt(MANY));
    assertNormal(draw(path, MANY));
    assertThrows(IllegalArgumentException.class, () -> increment(path, 3, 3));
    assertThrows(IllegalArgumentException.class, () -> new BrownianTree(1, 2, 2));
  }

  @Test
  void precisionsRoundToTheNearest() {
    assertEquals(1.0009765625f, Precision.FLOAT16.round(1.0007f));
    assertEquals(0x1p-24f, Precision.FLOAT16.round(0x1.2p-24f));
    assertEquals(Float.POSITIVE_INFINITY, Precision.FLOAT16.round(65520));
    assertEquals(65504f, Precision.FLOAT16.round(65519));
    assertEquals(1.0078125f, Precision.BFLOAT16.round(1.006f));
    assertEquals(1f, Precision.BFLOAT16.round(1.00390625f), "ties to even");
    assertTrue(Float.isNaN(Precision.BFLOAT16.round(Float.NaN)));
  }
}
