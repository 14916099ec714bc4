package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Euler's method for EDM models (Karras et al. 2022): one evaluation a step.
 *
 * @param sigmas noise levels and preconditioning
 * @param churn noise put back before each step
 */
public record EdmEulerScheduler(EdmSigmas sigmas, Churn churn) implements Scheduler {

  static final String CLASS_NAME = "EDMEulerScheduler";

  public EdmEulerScheduler {
    requireNonNull(sigmas, "sigmas");
    requireNonNull(churn, "churn");
  }

  static EdmEulerScheduler read(ConfigReader in) {
    return new EdmEulerScheduler(EdmSigmas.read(in), Churn.NONE);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    sigmas.write(out);
    return out.toMap();
  }

  @Override
  public EdmEulerScheduler with(Map<String, ?> stepOptions) {
    return new EdmEulerScheduler(sigmas, churn.with(StepOptions.read(stepOptions)));
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(this, sigmas.grid(Plans.count(plan, CLASS_NAME), false), input);
  }

  private static final class Run extends EdmRun {

    private final Update[] updates;
    private final double[] raises;

    Run(EdmEulerScheduler recipe, Grid grid, RunInput input) {
      super(recipe.sigmas, grid, SampleClamp.NONE, input);
      updates = new Update[grid.evaluations()];
      raises = new double[updates.length];
      if (recipe.churn.churn() > 0) {
        drawsNoise();
      }
      for (int place = 0; place < updates.length; place++) {
        double sigma = sigma(place);
        double raised = recipe.churn.raised(sigma, updates.length);
        raises[place] = raised > sigma ? recipe.churn.deviation(sigma, raised) : 0;
        double ratio = sigma(place + 1) / raised;
        updates[place] = new Update(recipe.sigmas.data(raised), ratio, 1 - ratio, 0);
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      double raise = raises[place()];
      if (raise > 0) {
        sum().plus(1, x).plus(raise, draw()).into(x);
      }
      step(updates[place()], sum(), m, x);
    }
  }
}
