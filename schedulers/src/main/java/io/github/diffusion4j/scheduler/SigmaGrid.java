package io.github.diffusion4j.scheduler;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * Timesteps and the sigmas at them, on the way to a schedule.
 *
 * <p>Package-private and short-lived, so the arrays are not copied.
 */
final class SigmaGrid {

  private final NoiseSchedule table;
  private final double[] timesteps;
  private final double[] sigmas;

  SigmaGrid(NoiseSchedule table, double[] timesteps, double[] sigmas) {
    this.table = table;
    this.timesteps = timesteps;
    this.sigmas = sigmas;
  }

  /** The plan's timesteps, fractions kept, with the sigmas of training at them. */
  static SigmaGrid of(
      StepPlan plan,
      String className,
      NoiseSchedule table,
      Spacing spacing,
      SigmaSpacing sigmaSpacing) {
    if (plan instanceof StepPlan.Timesteps custom) {
      Plans.requireTrained(sigmaSpacing, custom);
      return at(table, Grid.toSingle(Grid.toArray(custom.timesteps())));
    }
    int steps = Plans.count(plan, className);
    return at(table, spacing.fractional(table.trainSteps(), steps));
  }

  /** The sigmas of training at some timesteps. */
  static SigmaGrid at(NoiseSchedule table, double[] timesteps) {
    double[] sigmas = new double[timesteps.length];
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = table.sigmaAt(timesteps[i]);
    }
    return new SigmaGrid(table, timesteps, sigmas);
  }

  /** The same number of sigmas over the same range, or the one given, spaced by a rule. */
  SigmaGrid respaced(SigmaSpacing rule, OptionalDouble min, OptionalDouble max) {
    if (rule == SigmaSpacing.TRAINED) {
      return this;
    }
    SigmaRange range =
        SigmaRange.of(table, max.orElse(sigmas[0]), min.orElse(sigmas[sigmas.length - 1]));
    double[] spaced = rule.between(range, timesteps.length);
    double[] found = new double[spaced.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = table.timestepOf(spaced[i]);
    }
    return new SigmaGrid(table, found, spaced);
  }

  SigmaGrid respaced(SigmaSpacing rule) {
    return respaced(rule, OptionalDouble.empty(), OptionalDouble.empty());
  }

  /** So many sigmas over the whole range of training, or the one given, spaced by a rule. */
  SigmaGrid respacedOverAll(SigmaSpacing rule, int count, OptionalDouble min, OptionalDouble max) {
    double[] ends = {table.lastSigma(), table.firstSigma()};
    return new SigmaGrid(table, new double[count], ends).respaced(rule, min, max);
  }

  SigmaGrid respacedOverAll(SigmaSpacing rule, int count) {
    return respacedOverAll(rule, count, OptionalDouble.empty(), OptionalDouble.empty());
  }

  /** As {@link #respacedOverAll}, from the least sigma to the greatest. */
  SigmaGrid respacedRising(SigmaSpacing rule, int count) {
    double[] ends = {table.firstSigma(), table.lastSigma()};
    return new SigmaGrid(table, new double[count], ends).respaced(rule);
  }

  /** The same number of sigmas of flow matching, and its timesteps. */
  SigmaGrid withFlow(FlowSigmas flow, StepPlan plan) {
    double[] levels = flow.levels(plan, table.trainSteps(), timesteps.length);
    double[] found = new double[levels.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = levels[i] * table.trainSteps();
    }
    return new SigmaGrid(table, found, levels);
  }

  SigmaGrid withSigmas(double[] other) {
    return new SigmaGrid(table, timesteps, other);
  }

  int count() {
    return timesteps.length;
  }

  double[] timesteps() {
    return timesteps;
  }

  double[] sigmas() {
    return sigmas;
  }

  /** The sigmas and a last one, in single precision. */
  double[] endingAt(double last) {
    double[] levels = Arrays.copyOf(sigmas, sigmas.length + 1);
    levels[sigmas.length] = last;
    return Grid.toSingle(levels);
  }
}
