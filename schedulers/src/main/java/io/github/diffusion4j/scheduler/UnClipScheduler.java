package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.List;
import java.util.Map;

/**
 * Ancestral sampling as unCLIP's models were trained with it (Ramesh et al. 2022; Karlo): DDPM on
 * cosine betas.
 *
 * @param trainSteps number of training steps, at least 1
 * @param prediction what the model predicts: noise or data
 * @param clamp what is done to each estimate of the data
 * @param varianceType the variance of the noise: fixed small log or learned range
 */
public record UnClipScheduler(
    int trainSteps, Prediction prediction, SampleClamp clamp, VarianceType varianceType)
    implements TrainedScheduler {

  static final String CLASS_NAME = "UnCLIPScheduler";

  public UnClipScheduler {
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
    requireNonNull(varianceType, "varianceType");
  }

  static UnClipScheduler read(ConfigReader in) {
    in.choice("beta_schedule", BetaSchedule.COSINE, BetaSchedule.COSINE);
    return new UnClipScheduler(
        in.integer("num_train_timesteps", 1000),
        in.choice("prediction_type", Prediction.EPSILON, Prediction.EPSILON, Prediction.SAMPLE),
        SampleClamp.readClip(in, true),
        in.choice(
            "variance_type",
            VarianceType.FIXED_SMALL_LOG,
            VarianceType.FIXED_SMALL_LOG,
            VarianceType.LEARNED_RANGE));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    out.put("num_train_timesteps", trainSteps).put("beta_schedule", BetaSchedule.COSINE);
    clamp.writeClip(out);
    return out.put("prediction_type", prediction).put("variance_type", varianceType).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(
        new Betas(trainSteps, 0.0001, 0.02, BetaSchedule.COSINE, List.of(), false));
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    int steps = Plans.count(plan, CLASS_NAME, trainSteps);
    Check.atLeast("steps", steps, 2);
    double[] rising = new double[steps];
    for (int i = 0; i < steps; i++) {
      rising[i] = i * ((trainSteps - 1.0) / (steps - 1));
    }
    return new PosteriorRun(
        Grid.of(Spacing.reversed(rising, Math::rint)),
        input,
        new PosteriorRun.Recipe(noiseSchedule(), prediction, clamp, varianceType, true));
  }
}
