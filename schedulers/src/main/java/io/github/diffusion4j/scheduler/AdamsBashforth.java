package io.github.diffusion4j.scheduler;

/** Weights of the last slopes, the newest first, in Adams-Bashforth steps of even length. */
final class AdamsBashforth {

  static final int ORDER = 4;

  private static final double[][] WEIGHTS = {
    {1},
    {3 / 2.0, -1 / 2.0},
    {23 / 12.0, -16 / 12.0, 5 / 12.0},
    {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}
  };

  private AdamsBashforth() {}

  /** Of so many slopes; not to be changed. */
  static double[] weights(int count) {
    return WEIGHTS[count - 1];
  }
}
