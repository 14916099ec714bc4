package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

/**
 * What the solvers share whose samples are data + sigma · noise.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts
 * @param sigmas how the noise levels are spaced
 */
public record SigmaConfig(
    Betas betas, Spacing spacing, Prediction prediction, SigmaSpacing sigmas) {

  public SigmaConfig {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(sigmas, "sigmas");
  }

  static SigmaConfig read(ConfigReader in, Betas betas, Prediction... predictions) {
    return new SigmaConfig(
        betas,
        Spacing.read(in, TimestepSpacing.LINSPACE),
        in.choice("prediction_type", Prediction.EPSILON, predictions),
        SigmaSpacing.read(in));
  }

  void write(ConfigWriter out) {
    betas.write(out);
    spacing.write(out);
    sigmas.write(out);
    out.put("prediction_type", prediction);
  }

  /** Timesteps and sigmas of a plan of so many steps, without the last sigma. */
  SigmaGrid grid(StepPlan plan, String className, NoiseSchedule table) {
    return SigmaGrid.of(plan, className, table, spacing, sigmas).respaced(sigmas);
  }
}
