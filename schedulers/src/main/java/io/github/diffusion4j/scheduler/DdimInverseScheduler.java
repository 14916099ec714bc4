package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * DDIM run backwards: from a picture to the noise that would paint it (Mokady et al. 2022).
 *
 * @param betas the model's training
 * @param spacing which training steps are taken: leading or trailing
 * @param prediction what the model predicts: noise, data or velocity
 * @param clamp what is done to each estimate of the data
 * @param setAlphaToOne whether the first step starts from clean data rather than from the first
 *     training step
 */
public record DdimInverseScheduler(
    Betas betas, Spacing spacing, Prediction prediction, SampleClamp clamp, boolean setAlphaToOne)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DDIMInverseScheduler";

  public DdimInverseScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
  }

  static DdimInverseScheduler read(ConfigReader in) {
    return new DdimInverseScheduler(
        Betas.readWithRescale(in, Betas.LINEAR),
        Spacing.read(
            in, TimestepSpacing.LEADING, TimestepSpacing.LEADING, TimestepSpacing.TRAILING),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        SampleClamp.readClip(in, true),
        in.flag("set_alpha_to_zero", in.flag("set_alpha_to_one", true)));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    spacing.write(out);
    clamp.writeClip(out);
    return out.put("prediction_type", prediction).put("set_alpha_to_one", setAlphaToOne).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    int steps = Plans.count(plan, CLASS_NAME, betas.trainSteps());
    double[] falling = spacing.whole(betas.trainSteps(), steps);
    return new Run(this, Grid.of(Spacing.reversed(falling, t -> t)), input);
  }

  private static final class Run extends TimestepRun {

    private final Update[] updates;

    Run(DdimInverseScheduler recipe, Grid grid, RunInput input) {
      super(grid, recipe.noiseSchedule(), recipe.clamp, input);
      updates = new Update[grid.evaluations()];
      int stride = schedule().trainSteps() / updates.length;
      for (int place = 0; place < updates.length; place++) {
        int from = trainStep(place) - stride;
        double first = recipe.setAlphaToOne ? 1 : schedule().alphaBar(0);
        double alphaBar = from >= 0 ? schedule().alphaBar(from) : first;
        double nextAlphaBar = schedule().alphaBar(trainStep(place));
        double alpha = Math.sqrt(alphaBar);
        double sigma = Math.sqrt(1 - alphaBar);
        LinearForm noise = recipe.prediction.noise(alpha, sigma);
        double towards = Math.sqrt(1 - nextAlphaBar);
        updates[place] =
            new Update(
                recipe.prediction.data(alpha, sigma),
                towards * noise.sample(),
                Math.sqrt(nextAlphaBar),
                towards * noise.output());
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      step(updates[place()], sum(), m, x);
    }
  }
}
