package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Euler's method to a level below the next one, then noise up to it (ancestral sampling, from
 * k-diffusion): one evaluation and one draw of noise a step.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise or velocity
 */
public record EulerAncestralScheduler(Betas betas, Spacing spacing, Prediction prediction)
    implements TrainedScheduler {

  static final String CLASS_NAME = "EulerAncestralDiscreteScheduler";

  public EulerAncestralScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
  }

  static EulerAncestralScheduler read(ConfigReader in) {
    return new EulerAncestralScheduler(
        Betas.readWithRescale(in, Betas.LINEAR),
        Spacing.read(in, TimestepSpacing.LINSPACE),
        in.choice("prediction_type", Prediction.EPSILON, Prediction.EPSILON, Prediction.V));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    spacing.write(out);
    return out.put("prediction_type", prediction).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.withFiniteSigmas(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    NoiseSchedule table = noiseSchedule();
    int steps = Plans.count(plan, CLASS_NAME);
    SigmaGrid spaced = SigmaGrid.at(table, spacing.fractional(table.trainSteps(), steps));
    Grid grid = new Grid(spaced.timesteps(), spaced.endingAt(0));
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private static final class Run extends SigmaRun {

    private final Update[] updates;
    private final double[] ups;

    Run(EulerAncestralScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.betas.trainSteps(),
          SampleClamp.NONE,
          input,
          initNoiseSigma(grid, recipe.spacing.kind()));
      updates = new Update[grid.evaluations()];
      ups = new double[updates.length];
      drawsNoise();
      for (int place = 0; place < updates.length; place++) {
        double sigma = sigma(place);
        ups[place] = Ancestral.up(sigma, sigma(place + 1));
        double down = Ancestral.down(sigma(place + 1), ups[place]);
        LinearForm data = recipe.prediction.dataOfUnscaled(sigma);
        updates[place] = new Update(data, down / sigma, 1 - down / sigma, 0);
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      step(updates[place()], sum().plus(ups[place()], draw()), m, x);
    }
  }
}
