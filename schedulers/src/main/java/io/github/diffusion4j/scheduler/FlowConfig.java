package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import java.util.OptionalDouble;

/**
 * The schedule of flow matching models, x = (1 - sigma) data + sigma noise.
 *
 * @param trainSteps timestep of pure noise, at least 1
 * @param shift factor on noise over signal, above 0
 * @param dynamic whether the plan's mu takes the place of the shift
 * @param curve what mu means
 * @param dynamicShift how a pipeline finds mu for a picture's size
 * @param terminal sigma that the last step is stretched to; empty: not stretched
 * @param sigmas how the sigmas are spaced in their range
 * @param inverted whether sigma is told as 1 - sigma, from data to noise
 */
public record FlowConfig(
    int trainSteps,
    double shift,
    boolean dynamic,
    TimeShift curve,
    DynamicShift dynamicShift,
    OptionalDouble terminal,
    SigmaSpacing sigmas,
    boolean inverted) {

  public FlowConfig {
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    Check.positive("shift", shift);
    requireNonNull(curve, "curve");
    requireNonNull(dynamicShift, "dynamicShift");
    terminal.ifPresent(sigma -> Check.between("shift_terminal", sigma, 0, 1));
    if (sigmas.needsTraining() && sigmas != SigmaSpacing.TRAINED) {
      throw new IllegalArgumentException(
          "sigma_spacing of a flow matching solver must not depend on training steps, got "
              + sigmas.configName());
    }
  }

  static FlowConfig read(ConfigReader in) {
    return new FlowConfig(
        in.integer("num_train_timesteps", 1000),
        in.real("shift", 1),
        in.flag("use_dynamic_shifting", false),
        in.choice("time_shift_type", TimeShift.EXPONENTIAL),
        DynamicShift.read(in),
        in.optional("shift_terminal"),
        SigmaSpacing.read(in),
        in.flag("invert_sigmas", false));
  }

  static FlowConfig readSimple(ConfigReader in) {
    return new FlowConfig(
        in.integer("num_train_timesteps", 1000),
        in.real("shift", 1),
        false,
        TimeShift.EXPONENTIAL,
        DynamicShift.DEFAULT,
        OptionalDouble.empty(),
        SigmaSpacing.TRAINED,
        false);
  }

  void writeSimple(ConfigWriter out) {
    out.put("num_train_timesteps", trainSteps).put("shift", shift);
  }

  void write(ConfigWriter out) {
    writeSimple(out);
    out.put("use_dynamic_shifting", dynamic).put("time_shift_type", curve);
    dynamicShift.write(out);
    out.put("shift_terminal", terminal).put("invert_sigmas", inverted);
    sigmas.write(out);
  }

  /** The schedule of a plan, one evaluation a step. */
  Grid grid(StepPlan plan) {
    if (dynamic && plan.options().shift().isEmpty()) {
      throw new IllegalArgumentException(
          "mu must be given by withShift where use_dynamic_shifting is true, got none");
    }
    double[] levels = shifted(levels(plan), plan);
    TimeShift.stretch(levels, terminal);
    if (sigmas != SigmaSpacing.TRAINED) {
      SigmaRange range = SigmaRange.of(levels[0], levels[levels.length - 1]);
      levels = sigmas.between(range, levels.length);
    }
    double[] ends = new double[levels.length + 1];
    for (int i = 0; i < levels.length; i++) {
      ends[i] = inverted ? 1f - (float) levels[i] : (float) levels[i];
    }
    ends[levels.length] = inverted ? 1 : 0;
    double[] timesteps = given(plan);
    if (timesteps.length == 0 || inverted) {
      timesteps = new double[levels.length];
      for (int i = 0; i < timesteps.length; i++) {
        timesteps[i] = (float) ends[i] * (float) trainSteps;
      }
    }
    return new Grid(timesteps, ends).flow();
  }

  /** The plan's own levels before any shift, or even ones over the range of training. */
  private double[] levels(StepPlan plan) {
    if (plan instanceof StepPlan.Sigmas custom) {
      return Grid.toSingle(Grid.toArray(custom.sigmas()));
    }
    if (plan instanceof StepPlan.Timesteps custom) {
      double[] levels = Grid.toArray(custom.timesteps());
      for (int i = 0; i < levels.length; i++) {
        levels[i] = (float) levels[i] / (float) trainSteps;
      }
      return levels;
    }
    double least = dynamic ? 1.0 / trainSteps : TimeShift.shifted(1.0 / trainSteps, shift);
    double[] timesteps =
        Spacing.linspace(trainSteps, (float) least * trainSteps, ((StepPlan.Count) plan).steps());
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] /= trainSteps;
    }
    return timesteps;
  }

  private double[] shifted(double[] levels, StepPlan plan) {
    double factor = dynamic ? curve.factor(plan.options().shift().getAsDouble()) : shift;
    for (int i = 0; i < levels.length; i++) {
      levels[i] = TimeShift.shifted(levels[i], factor);
    }
    return levels;
  }

  private static double[] given(StepPlan plan) {
    if (plan instanceof StepPlan.Timesteps custom) {
      return Grid.toSingle(Grid.toArray(custom.timesteps()));
    }
    if (plan instanceof StepPlan.Sigmas custom && !custom.timesteps().isEmpty()) {
      if (custom.timesteps().size() != custom.sigmas().size()) {
        throw new IllegalArgumentException(
            "timesteps must be as many as sigmas, %d, got %d"
                .formatted(custom.sigmas().size(), custom.timesteps().size()));
      }
      return Grid.toSingle(Grid.toArray(custom.timesteps()));
    }
    return new double[0];
  }
}
