package io.github.diffusion4j.scheduler;

/** The beta distribution, by the continued fraction of its incomplete integral. */
final class BetaDistribution {

  private static final int ITERATIONS = 300;
  private static final double TINY = 1e-300;

  private BetaDistribution() {}

  /** The value that a share {@code p} of the distribution lies below. */
  static double quantile(double p, double a, double b) {
    if (p <= 0 || p >= 1) {
      return p <= 0 ? 0 : 1;
    }
    double low = 0;
    double high = 1;
    for (int i = 0; i < 200 && high - low > Math.ulp(low); i++) {
      double middle = (low + high) / 2;
      if (cumulative(middle, a, b) < p) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  /** The share below {@code x} (regularised incomplete beta function). */
  static double cumulative(double x, double a, double b) {
    if (x <= 0 || x >= 1) {
      return x <= 0 ? 0 : 1;
    }
    if (x > (a + 1) / (a + b + 2)) {
      return 1 - cumulative(1 - x, b, a);
    }
    double front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
    return front * fraction(x, a, b);
  }

  /** Lentz's evaluation of the continued fraction (DLMF 8.17.22). */
  private static double fraction(double x, double a, double b) {
    double f = 1;
    double c = 1;
    double d = 0;
    for (int i = 0; i <= ITERATIONS; i++) {
      int m = i / 2;
      double numerator;
      if (i == 0) {
        numerator = 1;
      } else if (i % 2 == 0) {
        numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      } else {
        numerator = -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      }
      d = 1 + numerator * d;
      d = 1 / (Math.abs(d) < TINY ? TINY : d);
      c = 1 + numerator / c;
      c = Math.abs(c) < TINY ? TINY : c;
      f *= c * d;
      if (i > 0 && Math.abs(1 - c * d) < 1e-16) {
        break;
      }
    }
    return f - 1;
  }

  private static double logBeta(double a, double b) {
    return logGamma(a) + logGamma(b) - logGamma(a + b);
  }

  /** Stirling's series after shifting the argument up. */
  private static double logGamma(double x) {
    double shift = 0;
    double z = x;
    while (z < 15) {
      shift += Math.log(z);
      z++;
    }
    double inverse = 1 / (z * z);
    double series =
        (1 / 12.0 - inverse * (1 / 360.0 - inverse * (1 / 1260.0 - inverse / 1680))) / z;
    return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
  }
}
