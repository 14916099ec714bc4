package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Denoising diffusion probabilistic models (Ho et al. 2020): one evaluation and one draw of noise a
 * step.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise, data or velocity
 * @param clamp what is done to each estimate of the data
 * @param varianceType the variance of the noise
 */
public record DdpmScheduler(
    Betas betas,
    Spacing spacing,
    Prediction prediction,
    SampleClamp clamp,
    VarianceType varianceType)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DDPMScheduler";

  public DdpmScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
    requireNonNull(varianceType, "varianceType");
  }

  static DdpmScheduler read(ConfigReader in) {
    return new DdpmScheduler(
        Betas.readWithRescale(
            in,
            Betas.LINEAR,
            BetaSchedule.LINEAR,
            BetaSchedule.SCALED_LINEAR,
            BetaSchedule.COSINE,
            BetaSchedule.LAPLACE,
            BetaSchedule.SIGMOID),
        Spacing.read(in, TimestepSpacing.LEADING),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        SampleClamp.read(in, true),
        in.choice("variance_type", VarianceType.FIXED_SMALL));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    spacing.write(out);
    clamp.write(out);
    return out.put("prediction_type", prediction).put("variance_type", varianceType).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    int trainSteps = betas.trainSteps();
    Grid grid =
        plan instanceof StepPlan.Timesteps custom
            ? Grid.of(Plans.falling(custom, trainSteps))
            : Grid.of(spacing.whole(trainSteps, Plans.count(plan, CLASS_NAME, trainSteps)));
    return new PosteriorRun(
        grid,
        input,
        new PosteriorRun.Recipe(noiseSchedule(), prediction, clamp, varianceType, false));
  }
}
