package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Denoising diffusion implicit models (Song et al. 2020): one evaluation a step, deterministic at
 * eta 0.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise, data or velocity
 * @param clamp what is done to each estimate of the data
 * @param setAlphaToOne whether the last step ends at clean data rather than at the first training
 *     step
 * @param eta share of the DDPM noise that each step adds, at least 0; above 0 each step draws noise
 * @param useClippedModelOutput whether the noise is derived from the clamped estimate
 */
public record DdimScheduler(
    Betas betas,
    Spacing spacing,
    Prediction prediction,
    SampleClamp clamp,
    boolean setAlphaToOne,
    double eta,
    boolean useClippedModelOutput)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DDIMScheduler";

  public DdimScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
    Check.between("eta", eta, 0, Double.MAX_VALUE);
  }

  static DdimScheduler read(ConfigReader in) {
    return new DdimScheduler(
        Betas.readWithRescale(in, Betas.LINEAR),
        Spacing.read(in, TimestepSpacing.LEADING),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        SampleClamp.read(in, true),
        in.flag("set_alpha_to_one", true),
        0,
        false);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    spacing.write(out);
    clamp.write(out);
    return out.put("prediction_type", prediction).put("set_alpha_to_one", setAlphaToOne).toMap();
  }

  @Override
  public DdimScheduler with(Map<String, ?> stepOptions) {
    ConfigReader in = StepOptions.read(stepOptions);
    return new DdimScheduler(
        betas,
        spacing,
        prediction,
        clamp,
        setAlphaToOne,
        in.real("eta", eta),
        in.flag("use_clipped_model_output", useClippedModelOutput));
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    int steps = Plans.count(plan, CLASS_NAME, betas.trainSteps());
    Grid grid = Grid.of(spacing.whole(betas.trainSteps(), steps));
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private static final class Run extends TimestepRun {

    private final Update[] updates;
    private final double[] deviations;
    private final boolean stochastic;

    Run(DdimScheduler recipe, Grid grid, RunInput input) {
      super(grid, recipe.noiseSchedule(), recipe.clamp, input);
      stochastic = recipe.eta > 0;
      if (stochastic) {
        drawsNoise();
      }
      updates = new Update[grid.evaluations()];
      deviations = new double[updates.length];
      int stride = recipe.betas.trainSteps() / grid.evaluations();
      for (int place = 0; place < updates.length; place++) {
        int next = trainStep(place) - stride;
        double alphaBar = schedule().alphaBar(trainStep(place));
        double nextAlphaBar =
            next >= 0
                ? schedule().alphaBar(next)
                : recipe.setAlphaToOne ? 1 : schedule().alphaBar(0);
        updates[place] = update(recipe, place, alphaBar, nextAlphaBar);
      }
    }

    private Update update(DdimScheduler recipe, int place, double alphaBar, double nextAlphaBar) {
      double alpha = Math.sqrt(alphaBar);
      double sigma = Math.sqrt(1 - alphaBar);
      double variance = (1 - nextAlphaBar) / (1 - alphaBar) * (1 - alphaBar / nextAlphaBar);
      double deviation = recipe.eta * Math.sqrt(Math.max(variance, 0));
      deviations[place] = deviation;
      double towards = Math.sqrt(Math.max(1 - nextAlphaBar - deviation * deviation, 0));
      LinearForm data = recipe.prediction.data(alpha, sigma);
      double nextAlpha = Math.sqrt(nextAlphaBar);
      if (recipe.useClippedModelOutput) {
        return new Update(data, towards / sigma, nextAlpha - towards * alpha / sigma, 0);
      }
      LinearForm noise = recipe.prediction.noise(alpha, sigma);
      return new Update(data, towards * noise.sample(), nextAlpha, towards * noise.output());
    }

    @Override
    void advance(float[] m, float[] x) {
      Combination others = sum();
      if (stochastic) {
        others.plus(deviations[place()], draw());
      }
      step(updates[place()], others, m, x);
    }
  }
}
