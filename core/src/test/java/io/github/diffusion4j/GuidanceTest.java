package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class GuidanceTest {

  private static final LatentShape TWO_IMAGES = new LatentShape(2, 1, 1, 3);

  @Test
  void guidanceIsOnOnlyAboveOne() {
    assertInstanceOf(Guidance.None.class, Guidance.of(1, 0));
    assertInstanceOf(Guidance.None.class, Guidance.of(0, 0));
    assertEquals(2, Guidance.of(1.01, 0).branches());
  }

  @Test
  void goesFromTheNegativeBranchThroughThePrompts() {
    float[] outputs = {0, 1, 2, 3, 4, 5, 10, 10, 10, 10, 10, 10};
    float[] combined = new float[6];
    new Guidance.ClassifierFree(2, 0).start(1, TWO_IMAGES).combine(outputs, combined);
    assertArrayEquals(new float[] {20, 19, 18, 17, 16, 15}, combined, 0f);
  }

  @Test
  void fullRescaleRestoresTheDeviationOfEachImage() {
    float[] outputs = {0, 0, 0, 1, 1, 1, 1, 2, 3, 10, 40, 70};
    float[] combined = new float[6];
    new Guidance.ClassifierFree(5, 1).start(1, TWO_IMAGES).combine(outputs, combined);
    assertEquals(1, deviation(combined, 0), 1e-5);
    assertEquals(30, deviation(combined, 3), 1e-4);
  }

  private static double deviation(float[] values, int from) {
    double mean = (values[from] + values[from + 1] + values[from + 2]) / 3.0;
    double sum = 0;
    for (int i = from; i < from + 3; i++) {
      sum += (values[i] - mean) * (values[i] - mean);
    }
    return Math.sqrt(sum / 2);
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Guidance.ClassifierFree(Double.NaN, 0));
    assertThrows(IllegalArgumentException.class, () -> new Guidance.ClassifierFree(2, 1.1));
    assertThrows(IllegalArgumentException.class, () -> new Guidance.ClassifierFree(2, Double.NaN));
  }

  @Test
  void textAndImageGoesFromNeitherByBothScales() {
    Guidance guidance = new Guidance.TextAndImage(7.5, 1.5);
    assertEquals(3, guidance.branches());
    float[] dst = new float[2];
    guidance.start(1, new LatentShape(1, 1, 1, 2)).combine(new float[] {1, 2, 3, 5, 4, 9}, dst);
    assertEquals(1 + 7.5 * (4 - 3) + 1.5 * (3 - 1), dst[0], 1e-5);
    assertEquals(2 + 7.5 * (9 - 5) + 1.5 * (5 - 2), dst[1], 1e-5);
    assertThrows(IllegalArgumentException.class, () -> new Guidance.TextAndImage(Double.NaN, 1.5));
  }
}
