package io.github.diffusion4j.scheduler;

/** Gauss-Legendre quadrature on 0 to 1, exact for polynomials up to degree 31. */
final class GaussLegendre {

  static final int COUNT = 16;

  private static final double[] NODES = new double[COUNT];
  private static final double[] WEIGHTS = new double[COUNT];

  static {
    for (int k = 0; k < COUNT; k++) {
      double x = Math.cos(Math.PI * (k + 0.75) / (COUNT + 0.5));
      double slope = 1;
      for (int iteration = 0; iteration < 10; iteration++) {
        double before = 1;
        double value = x;
        for (int n = 2; n <= COUNT; n++) {
          double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
          before = value;
          value = next;
        }
        slope = COUNT * (x * value - before) / (x * x - 1);
        x -= value / slope;
      }
      NODES[k] = (1 + x) / 2;
      WEIGHTS[k] = 1 / ((1 - x * x) * slope * slope);
    }
  }

  private GaussLegendre() {}

  static double node(int k) {
    return NODES[k];
  }

  static double weight(int k) {
    return WEIGHTS[k];
  }
}
