package io.github.diffusion4j.scheduler;

/** Gauss-Legendre quadrature on 0 to 1, exact for polynomials up to degree 7. */
final class GaussLegendre {

  static final int COUNT = 4;

  private static final double[] NODES = {
    0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263
  };
  private static final double[] WEIGHTS = {
    0.17392742256872692, 0.32607257743127307, 0.32607257743127307, 0.17392742256872692
  };

  private GaussLegendre() {}

  static double node(int k) {
    return NODES[k];
  }

  static double weight(int k) {
    return WEIGHTS[k];
  }
}
