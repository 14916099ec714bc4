package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import java.util.OptionalDouble;

/**
 * How solvers of the log signal to noise ratio sample flow matching models.
 *
 * @param used whether the model is one; else the rest is not used
 * @param shift factor on noise over signal, above 0
 * @param dynamic whether the plan's mu takes the place of the shift
 * @param curve what mu means
 * @param terminal sigma that the last step is stretched to; empty: not stretched
 */
public record FlowSigmas(
    boolean used, double shift, boolean dynamic, TimeShift curve, OptionalDouble terminal) {

  /** For models that are not of flow matching. */
  public static final FlowSigmas NONE =
      new FlowSigmas(false, 1, false, TimeShift.EXPONENTIAL, OptionalDouble.empty());

  public FlowSigmas {
    Check.positive("flow_shift", shift);
    requireNonNull(curve, "curve");
    terminal.ifPresent(sigma -> Check.between("shift_terminal", sigma, 0, 1));
    if (terminal.isPresent() && !used) {
      throw new IllegalArgumentException(
          "shift_terminal needs use_flow_sigmas true, got " + terminal.getAsDouble());
    }
  }

  static FlowSigmas read(ConfigReader in) {
    return new FlowSigmas(
        in.flag("use_flow_sigmas", false),
        in.real("flow_shift", 1),
        false,
        TimeShift.EXPONENTIAL,
        OptionalDouble.empty());
  }

  static FlowSigmas readDynamic(ConfigReader in) {
    FlowSigmas flow = read(in);
    return new FlowSigmas(
        flow.used,
        flow.shift,
        in.flag("use_dynamic_shifting", false),
        in.choice("time_shift_type", TimeShift.EXPONENTIAL),
        OptionalDouble.empty());
  }

  FlowSigmas withTerminal(OptionalDouble sigma) {
    return new FlowSigmas(used, shift, dynamic, curve, sigma);
  }

  void write(ConfigWriter out) {
    out.put("use_flow_sigmas", used).put("flow_shift", shift);
  }

  void writeDynamic(ConfigWriter out) {
    write(out);
    out.put("use_dynamic_shifting", dynamic).put("time_shift_type", curve);
  }

  /** The factor for a plan, whose mu can be used only by a scheduler set to it. */
  double factor(StepPlan plan) {
    OptionalDouble mu = plan.options().shift();
    if (mu.isEmpty()) {
      return shift;
    }
    if (!dynamic) {
      throw new IllegalArgumentException(
          "mu needs use_dynamic_shifting true, got mu " + mu.getAsDouble());
    }
    return curve.factor(mu.getAsDouble());
  }

  /** Sigmas of so many steps as DPM-Solver takes them, falling, without the last. */
  double[] levels(StepPlan plan, int trainSteps, int steps) {
    double factor = factor(plan);
    double[] alphas = Spacing.linspace(1, 1.0 / trainSteps, steps + 1);
    double[] levels = new double[steps];
    for (int i = 0; i < steps; i++) {
      levels[i] = TimeShift.shifted(1 - alphas[steps - i], factor);
    }
    return levels;
  }
}
