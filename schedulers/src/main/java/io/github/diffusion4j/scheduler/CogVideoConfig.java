package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

/**
 * The training and schedule of CogVideoX and CogView models.
 *
 * @param betas the model's training
 * @param snrShift factor by which noise is stronger than the betas say, above 0
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise, data or velocity
 * @param setAlphaToOne whether the last step ends at clean data rather than at the first training
 *     step
 */
public record CogVideoConfig(
    Betas betas, double snrShift, Spacing spacing, Prediction prediction, boolean setAlphaToOne) {

  public CogVideoConfig {
    requireNonNull(betas, "betas");
    Check.positive("snr_shift_scale", snrShift);
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
  }

  static CogVideoConfig read(ConfigReader in) {
    return new CogVideoConfig(
        Betas.readWithRescale(in, Betas.STABLE_DIFFUSION),
        in.real("snr_shift_scale", 3),
        Spacing.read(in, TimestepSpacing.LEADING),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        in.flag("set_alpha_to_one", true));
  }

  void write(ConfigWriter out) {
    betas.writeWithRescale(out);
    spacing.write(out);
    out.put("snr_shift_scale", snrShift)
        .put("prediction_type", prediction)
        .put("set_alpha_to_one", setAlphaToOne);
  }

  NoiseSchedule noiseSchedule() {
    return NoiseSchedule.shifted(betas, snrShift);
  }

  Grid grid(StepPlan plan, String className) {
    int steps = Plans.count(plan, className, betas.trainSteps());
    return Grid.of(spacing.whole(betas.trainSteps(), steps));
  }

  /** Alpha-bar a step below a training step. */
  double nextAlphaBar(NoiseSchedule schedule, int step, int steps) {
    int next = step - betas.trainSteps() / steps;
    if (next >= 0) {
      return schedule.alphaBar(next);
    }
    return setAlphaToOne ? 1 : schedule.alphaBar(0);
  }
}
