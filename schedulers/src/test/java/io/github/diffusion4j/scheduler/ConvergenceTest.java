package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * On normal data the path from noise to data is known in closed form. Doubling the number of steps
 * must divide the distance from it by two to the power of the solver's order.
 */
class ConvergenceTest {

  private static final double MEAN = 0.4;
  private static final double DEVIATION = 0.6;
  private static final int COUNT = 64;

  private record Solver(String name, Map<String, Object> options, double order, int steps) {}

  private static Solver solver(String name, Map<String, Object> options, double order, int steps) {
    return new Solver(name, options, order, steps);
  }

  @TestFactory
  Stream<DynamicTest> orders() {
    Map<String, Object> toMin = Map.of("final_sigmas_type", "sigma_min");
    return Stream.of(
            solver("ddim", Map.of("timestep_spacing", "linspace"), 1, 50),
            solver("euler", Map.of("timestep_spacing", "linspace"), 1, 50),
            solver("euler-karras", Map.of(), 1, 50),
            solver("heun-karras", Map.of(), 2, 20),
            solver("dpm2-karras", Map.of(), 2, 20),
            solver("lms-karras", Map.of(), 3, 20),
            solver("dpm++2m-lu", toMin, 2, 20),
            // Its first step is of first order, which leaves the whole at second.
            solver("dpm++2m-lu", third(toMin), 2, 20),
            solver("dpm++2s-exponential", toMin, 2, 21),
            solver("dpm++2s-exponential", third(toMin), 3, 21),
            solver("deis-exponential", Map.of(), 2, 20),
            solver("deis-exponential", third(Map.of()), 2.5, 20),
            solver("unipc-exponential", toMin, 3, 20),
            solver("flow-euler", Map.of(), 1, 50),
            solver("flow-heun", Map.of(), 2, 20),
            solver("cogvideox-ddim", Map.of("timestep_spacing", "linspace"), 1, 50))
        .map(solver -> DynamicTest.dynamicTest(solver.name, () -> check(solver)));
  }

  private static Map<String, Object> third(Map<String, Object> options) {
    Map<String, Object> third = new LinkedHashMap<>(options);
    third.put("solver_order", 3);
    return third;
  }

  private static void check(Solver solver) {
    double coarse = error(solver, solver.steps);
    double fine = error(solver, 2 * solver.steps);
    double order = Math.log(coarse / fine) / Math.log(2);
    assertTrue(
        order > solver.order - 0.2,
        "%s converges with order %.2f (errors %.3g, %.3g)"
            .formatted(solver.name, order, coarse, fine));
  }

  /** The greatest distance from the exact path before the last step. */
  private static double error(Solver solver, int steps) {
    Map<String, Object> config = new LinkedHashMap<>(Schedulers.named(solver.name).toConfig());
    config.put("set_alpha_to_one", true);
    config.putAll(solver.options);
    Scheduler scheduler = Schedulers.fromConfig(config);
    GridRun run =
        (GridRun) scheduler.start(StepPlan.steps(steps), new SampleShape(1, COUNT), dst -> {});
    float[] x = new float[COUNT];
    double[] exact = new double[COUNT];
    double scale = run.signal();
    double start = Math.hypot(scale * DEVIATION, run.noiseLevel());
    for (int i = 0; i < COUNT; i++) {
      double z = -2 + 4.0 * i / (COUNT - 1);
      x[i] = (float) (scale * MEAN + start * z);
      exact[i] = z;
    }
    ExactNormal model = new ExactNormal(scheduler);
    float[] input = new float[COUNT];
    float[] output = new float[COUNT];
    while (run.index() < run.evaluations() - 1) {
      run.scaleInput(x, input);
      model.answer(run, input, output);
      run.step(output, x);
    }
    double end = Math.hypot(run.signal() * DEVIATION, run.noiseLevel());
    double worst = 0;
    for (int i = 0; i < COUNT; i++) {
      double expected = run.signal() * MEAN + end * exact[i];
      worst = Math.max(worst, Math.abs(x[i] - expected));
    }
    return worst;
  }

  /** The posterior mean of normal data, told in the solver's own prediction. */
  private static final class ExactNormal {
    private final float[] clean = new float[COUNT];
    private final ExactModel model;

    ExactNormal(Scheduler scheduler) {
      model = new ExactModel(scheduler, clean);
    }

    void answer(GridRun run, float[] input, float[] output) {
      double a = GaussianModel.signal(run);
      double b = GaussianModel.noise(run);
      double gain = DEVIATION * DEVIATION * a / (a * a * DEVIATION * DEVIATION + b * b);
      for (int i = 0; i < input.length; i++) {
        clean[i] = (float) (MEAN + gain * (input[i] - a * MEAN));
      }
      model.answer(run, input, output);
    }
  }
}
