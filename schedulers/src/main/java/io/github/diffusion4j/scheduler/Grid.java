package io.github.diffusion4j.scheduler;

import java.util.List;
import java.util.Map;

/**
 * The schedule of one generation: the timesteps of all evaluations and the noise levels between
 * them.
 */
final class Grid {

  private final double[] timesteps;
  private final double[] sigmas;
  private int steps;
  private int order = 1;
  private int evaluations;
  private boolean flow;
  private Map<String, double[]> extras = Map.of();

  /**
   * A schedule of one evaluation a step.
   *
   * @param timesteps one for each evaluation
   * @param sigmas noise levels, one more than timesteps; empty where the solver has none
   */
  Grid(double[] timesteps, double[] sigmas) {
    this.timesteps = timesteps;
    this.sigmas = sigmas;
    steps = timesteps.length;
    evaluations = timesteps.length;
  }

  static Grid of(double[] timesteps) {
    return new Grid(timesteps, new double[0]);
  }

  /** For a plan of a count, which can differ from the number of evaluations. */
  Grid steps(int count) {
    steps = count;
    return this;
  }

  /** Evaluations for each step. */
  Grid order(int evaluationsPerStep) {
    order = evaluationsPerStep;
    return this;
  }

  /** Where the list of timesteps is longer than the loop. */
  Grid evaluations(int count) {
    evaluations = count;
    return this;
  }

  /** Rounds the start of image to image as the pipelines of flow matching models do. */
  Grid flow() {
    flow = true;
    return this;
  }

  /** Further lists of the reference, for its goldens. */
  Grid extras(Map<String, double[]> lists) {
    extras = lists;
    return this;
  }

  double[] timesteps() {
    return timesteps;
  }

  double[] sigmas() {
    return sigmas;
  }

  int steps() {
    return steps;
  }

  int order() {
    return order;
  }

  int evaluations() {
    return evaluations;
  }

  Map<String, double[]> extras() {
    return extras;
  }

  /** Whether the last sigma is 0. */
  boolean endsClean() {
    return sigmas[sigmas.length - 1] == 0;
  }

  /** Index of the first timestep of image to image. */
  int firstOf(double strength) {
    int left =
        flow
            ? (int) (steps - Math.min(steps * strength, steps))
            : steps - Math.min((int) (steps * strength), steps);
    return left * order;
  }

  /** The place of a timestep; where it occurs more than once, the second. */
  int placeOf(double timestep) {
    int found = -1;
    for (int i = 0; i < timesteps.length; i++) {
      if (timesteps[i] == timestep) {
        if (found >= 0) {
          return i;
        }
        found = i;
      }
    }
    return found;
  }

  static double[] toArray(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** Rounds every value to single precision, in place. */
  static double[] toSingle(double[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) values[i];
    }
    return values;
  }
}
