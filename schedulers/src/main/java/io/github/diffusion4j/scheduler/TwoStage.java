package io.github.diffusion4j.scheduler;

/** Schedules of solvers that evaluate twice a step. */
final class TwoStage {

  private TwoStage() {}

  /** a, b, b, c, c, ... */
  static double[] repeatAfterFirst(double[] values) {
    double[] result = new double[2 * values.length - 1];
    for (int i = 0; i < result.length; i++) {
      result[i] = values[(i + 1) / 2];
    }
    return result;
  }

  /** a, b, b, c, c, ..., z */
  static double[] repeatBetween(double[] values) {
    double[] result = new double[2 * values.length - 2];
    for (int i = 0; i < result.length; i++) {
      result[i] = values[(i + 1) / 2];
    }
    return result;
  }
}
