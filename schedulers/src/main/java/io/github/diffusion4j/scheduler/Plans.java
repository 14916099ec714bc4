package io.github.diffusion4j.scheduler;

/** What solvers can make of a plan. */
final class Plans {

  private Plans() {}

  /** The number of steps, for solvers that take nothing else. */
  static int count(StepPlan plan, String className) {
    if (plan instanceof StepPlan.Count count) {
      return count.steps();
    }
    if (plan == null) {
      throw new NullPointerException("plan");
    }
    throw unsupported(
        plan instanceof StepPlan.Timesteps timesteps ? "timesteps" : "sigmas", plan, className);
  }

  /** The number of steps, at most as many as the model was trained on. */
  static int count(StepPlan plan, String className, int trainSteps) {
    int count = count(plan, className);
    Check.atMost("steps", count, trainSteps, "the number of training steps");
    return count;
  }

  /** The number of steps of a list of sigmas that ends with the level of the last sample. */
  static int stepsOf(StepPlan.Sigmas plan, String className) {
    if (plan.sigmas().size() < 2) {
      throw new IllegalArgumentException(
          "%s needs at least two sigmas, the last one where it ends, got %s"
              .formatted(className, plan.sigmas()));
    }
    return plan.sigmas().size() - 1;
  }

  static void requireNoTimesteps(StepPlan.Sigmas plan, String className) {
    if (!plan.timesteps().isEmpty()) {
      throw new IllegalArgumentException(
          "%s takes only one of timesteps and sigmas, got %s and %s"
              .formatted(className, plan.timesteps(), plan.sigmas()));
    }
  }

  /** Timesteps can be chosen only where no rule spaces the sigmas. */
  static void requireTrained(SigmaSpacing spacing, StepPlan.Timesteps plan) {
    if (spacing != SigmaSpacing.TRAINED) {
      throw new IllegalArgumentException(
          "timesteps cannot be given together with %s sigmas, got %s"
              .formatted(spacing.configName(), plan.timesteps()));
    }
  }

  /** The number that image to image is a share of: the plan's, or that of its timesteps. */
  static int steps(StepPlan plan, int timesteps) {
    return plan instanceof StepPlan.Count count ? count.steps() : timesteps;
  }

  /** Whole timesteps that fall from at most the last training step. */
  static double[] falling(StepPlan.Timesteps plan, int trainSteps) {
    double[] timesteps = Grid.toArray(plan.timesteps());
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (long) timesteps[i];
      if (i > 0 && timesteps[i] >= timesteps[i - 1]) {
        throw new IllegalArgumentException("timesteps must fall, got " + plan.timesteps());
      }
    }
    Check.between("timesteps", timesteps[timesteps.length - 1], 0, trainSteps - 1.0);
    Check.between("timesteps", timesteps[0], 0, trainSteps - 1.0);
    return timesteps;
  }

  static IllegalArgumentException unsupported(String what, StepPlan plan, String className) {
    return new IllegalArgumentException(
        "%s takes a number of steps but no list of %s, got %s".formatted(className, what, plan));
  }
}
