package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans, and where they lead. */
class StepPlanTest {

  private static SchedulerRun start(String scheduler, StepPlan plan) {
    return Schedulers.named(scheduler).start(plan, new SampleShape(1, 4), dst -> {});
  }

  static Stream<Arguments> impossible() {
    return Stream.of(
        Arguments.of("steps", "0", (Executable) () -> StepPlan.steps(0)),
        Arguments.of("timesteps", "none", (Executable) StepPlan::timesteps),
        Arguments.of("timesteps", "NaN", (Executable) () -> StepPlan.timesteps(Double.NaN)),
        Arguments.of(
            "sigmas", "Infinity", (Executable) () -> StepPlan.sigmas(Double.POSITIVE_INFINITY, 0)),
        Arguments.of("strength", "1.5", (Executable) () -> StepPlan.steps(9).withStrength(1.5)),
        Arguments.of(
            "strength", "NaN", (Executable) () -> StepPlan.steps(9).withStrength(Double.NaN)),
        Arguments.of(
            "denoising_start",
            "-0.1",
            (Executable) () -> StepPlan.steps(9).withDenoisingStart(-0.1)),
        Arguments.of(
            "denoising_end", "2.0", (Executable) () -> StepPlan.steps(9).withDenoisingEnd(2)),
        Arguments.of("mu", "NaN", (Executable) () -> StepPlan.steps(9).withShift(Double.NaN)),
        Arguments.of(
            "original_inference_steps",
            "0",
            (Executable) () -> StepPlan.steps(9).withOriginalSteps(0)),
        Arguments.of("first", "-1", (Executable) () -> StepPlan.steps(9).withFirstStep(-1)),
        Arguments.of(
            "first", "10", (Executable) () -> start("euler", StepPlan.steps(9).withFirstStep(10))));
  }

  @ParameterizedTest
  @MethodSource("impossible")
  void impossiblePlansAreErrorsThatNameTheValue(String name, String value, Executable plan) {
    String message = assertThrows(IllegalArgumentException.class, plan).getMessage();
    assertTrue(message.contains(name) && message.endsWith("got " + value), message);
  }

  @Test
  void withersKeepTheRest() {
    StepPlan plan =
        StepPlan.steps(9)
            .withShift(0.5)
            .withDenoisingEnd(0.8)
            .withOriginalSteps(40)
            .withDistilledStrength(0.5)
            .withStrength(0.6);
    StepPlan.Options options = plan.options();
    assertEquals(new StepPlan.Start.Strength(0.6), options.start());
    assertEquals(0.5, options.shift().getAsDouble());
    assertEquals(0.8, options.denoisingEnd().getAsDouble());
    assertEquals(40, options.originalSteps().getAsInt());
    assertEquals(0.5, options.distilledStrength());
    assertEquals(9, ((StepPlan.Count) plan).steps());
    assertEquals(plan, StepPlan.of(Map.of("num_inference_steps", 9)).with(options));
    assertEquals(StepPlan.timesteps(3, 1), StepPlan.timesteps(List.of(3.0, 1.0)));
    assertEquals(StepPlan.sigmas(3, 1), StepPlan.sigmas(List.of(3.0, 1.0)));
  }

  @Test
  void twoModelsShareTheSteps() {
    SchedulerRun first = start("euler", StepPlan.steps(20).withDenoisingEnd(0.7));
    SchedulerRun second = start("euler", StepPlan.steps(20).withDenoisingStart(0.7));
    assertEquals(20, first.evaluations() + second.evaluations());
    assertEquals(second.timestep(), second.timesteps()[first.evaluations()]);
  }

  @Test
  void listsLeadWhereTheySay() {
    SchedulerRun run = start("euler", StepPlan.sigmas(10, 3, 1, 0.1));
    assertEquals(3, run.evaluations());
    assertArrayEquals(new double[] {10, 3, 1, 0.1f}, run.sigmas());
    SchedulerRun times = start("ddpm", StepPlan.timesteps(900, 400, 10));
    assertArrayEquals(new double[] {900, 400, 10}, times.timesteps());
  }

  @Test
  void aScheduleBeyondTrainingIsAnError() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> start("ddim", StepPlan.steps(1000)))
            .getMessage();
    assertTrue(message.contains("999") && message.endsWith("got 1000.0"), message);
  }

  @Test
  void sampleShapesAreChecked() {
    assertEquals(12, new SampleShape(3, 4).total());
    assertThrows(IllegalArgumentException.class, () -> new SampleShape(0, 4));
    assertThrows(IllegalArgumentException.class, () -> new SampleShape(1, 0));
    assertThrows(IllegalArgumentException.class, () -> new SampleShape(2, Integer.MAX_VALUE / 2));
  }
}
