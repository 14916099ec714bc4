package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.noise.TorchNoise;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static final List<GuidanceMethod> METHODS =
      List.of(
          GuidanceMethod.STANDARD,
          GuidanceMethod.AdaptiveProjected.DEFAULT,
          new GuidanceMethod.AdaptiveProjected(0, 3, -0.5),
          GuidanceMethod.ZeroStar.DEFAULT,
          new GuidanceMethod.Tangential(),
          GuidanceMethod.DynamicThreshold.DEFAULT,
          new GuidanceMethod.DynamicThreshold(2, 0.9, 0.5));

  static List<GuidanceMethod> methods() {
    return METHODS;
  }

  private static float[] outputs(int evaluation, long seed) {
    float[] outputs = new float[2 * TWO_IMAGES.total()];
    new TorchNoise(seed + evaluation).fill(outputs);
    return outputs;
  }

  @ParameterizedTest
  @MethodSource("methods")
  void interleavedGenerationsEqualThoseApart(GuidanceMethod method) {
    Guidance guidance = new Guidance.ClassifierFree(5, 0.5, method, GuidanceTiming.CONSTANT);
    float[][] apart = new float[2][];
    for (int which = 0; which < 2; which++) {
      apart[which] = new float[TWO_IMAGES.total()];
      GuidanceRun run = guidance.start(4, TWO_IMAGES);
      for (int i = 0; i < 4; i++) {
        run.combine(outputs(i, which * 100), apart[which]);
      }
    }
    GuidanceRun[] runs = {guidance.start(4, TWO_IMAGES), guidance.start(4, TWO_IMAGES)};
    float[][] together = new float[2][TWO_IMAGES.total()];
    for (int i = 0; i < 4; i++) {
      for (int which = 0; which < 2; which++) {
        runs[which].combine(outputs(i, which * 100), together[which]);
      }
    }
    assertArrayEquals(apart[0], together[0]);
    assertArrayEquals(apart[1], together[1]);
  }

  @ParameterizedTest
  @MethodSource("methods")
  void imagesDoNotChangeEachOther(GuidanceMethod method) {
    Guidance guidance = new Guidance.ClassifierFree(5, 0.5, method, GuidanceTiming.CONSTANT);
    int size = TWO_IMAGES.elements();
    float[] both = new float[2 * size];
    guidance.start(2, TWO_IMAGES).combine(outputs(0, 3), both);
    for (int image = 0; image < 2; image++) {
      float[] all = outputs(0, 3);
      float[] alone = new float[2 * size];
      System.arraycopy(all, image * size, alone, 0, size);
      System.arraycopy(all, (2 + image) * size, alone, size, size);
      float[] one = new float[size];
      guidance.start(2, new LatentShape(1, 1, 1, 3)).combine(alone, one);
      assertArrayEquals(Arrays.copyOfRange(both, image * size, (image + 1) * size), one);
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void outputsThatAreAllAlikeGiveNumbers(GuidanceMethod method) {
    Guidance guidance = new Guidance.ClassifierFree(5, 1, method, GuidanceTiming.CONSTANT);
    for (float value : new float[] {0, 1}) {
      GuidanceRun run = guidance.start(2, TWO_IMAGES);
      float[] outputs = new float[2 * TWO_IMAGES.total()];
      float[] dst = new float[TWO_IMAGES.total()];
      Arrays.fill(outputs, value);
      run.combine(outputs.clone(), dst);
      run.combine(outputs, dst);
      for (float result : dst) {
        assertTrue(Float.isFinite(result), "" + result);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void methodsAreReadFromTheirLabels(GuidanceMethod method) {
    assertEquals(method, GuidanceMethod.of(method.label()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"constant", "linear:0.5,2.0", "cosine:2.0,0.0", "steps:1.0", "steps:1.0,0.5"})
  void schedulesAreReadFromTheirLabels(String label) {
    assertEquals(label, GuidanceSchedule.of(label).label());
  }

  @Test
  void schedulesRiseToTwiceTheScaleByDefault() {
    assertEquals(new GuidanceSchedule.Linear(0, 2), GuidanceSchedule.of("linear"));
    assertEquals(new GuidanceSchedule.Cosine(0, 2), GuidanceSchedule.of("cosine"));
    for (String name : List.of("linear", "cosine")) {
      GuidanceSchedule schedule = GuidanceSchedule.of(name);
      assertEquals(0, schedule.factor(0, 5));
      assertEquals(1, schedule.factor(2, 5), 1e-12);
      assertEquals(2, schedule.factor(4, 5));
      assertEquals(1, schedule.factor(0, 1), 1e-12);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apg:eta",
        "apg:eta=x",
        "apg:zeta=1",
        "apg:momentum=1",
        "apg:norm_threshold=-1",
        "cfg-zero:zero_init_steps=0.5",
        "cfg-zero:zero_init_steps=-1",
        "standard:a=1",
        "slg",
        "",
        "dynamic-threshold:percentile=0",
        "dynamic-threshold:interpolate_phi=2",
        "dynamic-threshold:mimic_scale=NaN"
      })
  void methodsThatAreNoneAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> GuidanceMethod.of(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear:1", "linear:1,2,3", "cosine:a,b", "steps", "steps:NaN", "up", ""})
  void schedulesThatAreNoneAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> GuidanceSchedule.of(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.2", "0.2,0.1", "-0.1,1", "1,1", "0,1.1", "a,b", "0,1,1", "NaN,1"})
  void intervalsThatAreNoneAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> GuidanceInterval.of(text));
  }

  @Test
  void methodsInsideANetworkSaySo() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> GuidanceMethod.of("pag")).getMessage();
    assertTrue(message.contains("inside a network"), message);
  }

  @Test
  void onlyTheIntervalNeedsTheNegativeBranch() {
    GuidanceTiming part =
        new GuidanceTiming(GuidanceInterval.of("0.2, 0.8"), GuidanceSchedule.CONSTANT);
    List<Integer> two = List.of(1, 1, 2, 2, 2, 2, 2, 2, 1, 1);
    assertEquals(
        two, new Guidance.ClassifierFree(5, 0, GuidanceMethod.STANDARD, part).branches(10));
    List<Integer> three = List.of(1, 1, 3, 3, 3, 3, 3, 3, 1, 1);
    Guidance pictured = new Guidance.TextAndImage(5, 1.5, part);
    assertEquals(three, pictured.branches(10));
    float[] dst = new float[2];
    pictured.start(10, new LatentShape(1, 1, 1, 2)).combine(new float[] {4, 9, 0, 0, 0, 0}, dst);
    assertArrayEquals(new float[] {4, 9}, dst);
    assertEquals(List.of(), pictured.branches(0));
  }

  @Test
  void aScheduleOfTheUsersOwnIsALambda() {
    Guidance guidance =
        Guidance.of(GuidanceOptions.DEFAULT.withScale(4).withSchedule((i, n) -> i == 0 ? 0.25 : i));
    assertEquals(List.of(1, 2, 2), guidance.branches(3));
    GuidanceOptions wrong = GuidanceOptions.DEFAULT.withScale(4).withSchedule((i, n) -> 1.0 / i);
    assertThrows(IllegalArgumentException.class, () -> Guidance.of(wrong).branches(3));
  }

  @Test
  void composedGuidanceFollowsASchedule() {
    Guidance guidance =
        new Guidance.Composed(2, List.of(List.of(1.0)), GuidanceSchedule.of("steps:1,0.5"));
    GuidanceRun run = guidance.start(2, new LatentShape(1, 1, 1, 1));
    float[] dst = new float[1];
    run.combine(new float[] {1, 4}, dst);
    assertEquals(7, dst[0]);
    run.combine(new float[] {1, 4}, dst);
    assertEquals(4, dst[0]);
  }
}
