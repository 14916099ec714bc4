package io.github.diffusion4j.scheduler;

/**
 * The evenly spaced steps that a consistency model was distilled on, among which a generation takes
 * a few.
 *
 * @param originalSteps their number, at least 1
 */
public record DistilledSteps(int originalSteps) {

  public DistilledSteps {
    Check.atLeast("original_inference_steps", originalSteps, 1);
  }

  static DistilledSteps read(ConfigReader in) {
    return new DistilledSteps(in.integer("original_inference_steps", 50));
  }

  void write(ConfigWriter out) {
    out.put("original_inference_steps", originalSteps);
  }

  /** The timesteps of a plan, every k-th of the distilled ones. */
  Grid grid(StepPlan plan, String className, int trainSteps) {
    int original = plan.options().originalSteps().orElse(originalSteps);
    Check.atMost("original_inference_steps", original, trainSteps, "the number of training steps");
    int used = (int) (original * plan.options().distilledStrength());
    return among(used, trainSteps / original, plan, className, trainSteps);
  }

  /** As {@link #grid}, but a plan that names the original steps may use every training step. */
  Grid gridOfAll(StepPlan plan, String className, int trainSteps) {
    if (plan.options().originalSteps().isEmpty()) {
      return grid(plan, className, trainSteps);
    }
    int used = (int) (trainSteps * plan.options().distilledStrength());
    return among(used, 1, plan, className, trainSteps);
  }

  private static Grid among(int used, int stride, StepPlan plan, String className, int trainSteps) {
    if (plan instanceof StepPlan.Timesteps custom) {
      return custom(custom, trainSteps);
    }
    int steps = Plans.count(plan, className, trainSteps);
    Check.atMost("steps", steps, used, "original_inference_steps x strength");
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      int skipped = (int) Math.floor(i * ((double) used / steps));
      timesteps[i] = (double) (used - skipped) * stride - 1;
    }
    return Grid.of(timesteps);
  }

  private static Grid custom(StepPlan.Timesteps plan, int trainSteps) {
    double[] all = Plans.falling(plan, trainSteps);
    int kept = Math.min((int) (all.length * plan.options().distilledStrength()), all.length);
    double[] timesteps = new double[kept];
    System.arraycopy(all, all.length - kept, timesteps, 0, kept);
    return Grid.of(timesteps).steps(all.length);
  }
}
