package io.github.diffusion4j.noise;

/**
 * Pairs of uniform numbers to pairs of normal ones (Box and Muller 1958), many at a time: series in
 * double precision in loops without branches or calls, which the JIT compiler turns into vector
 * instructions. Wrong by less than 2e-9 in absolute value. Holds scratch, so not thread-safe.
 */
final class BoxMuller {

  /** Pairs of one transform at most. */
  static final int CAPACITY = 512;

  private static final double LOG_TWO = Math.log(2);
  private static final long HALF_ROOT_BITS = Double.doubleToRawLongBits(Math.sqrt(0.5));
  private static final int FRACTION_BITS = 52;

  private final double[] radii = new double[CAPACITY];
  private final double[] angles = new double[CAPACITY];
  private final double[] exponents = new double[CAPACITY];

  /**
   * Sets one pair.
   *
   * @param pair its place, below {@link #CAPACITY}
   * @param uniform above 0, at most 1
   * @param angle 0 to 2π
   */
  void set(int pair, double uniform, double angle) {
    radii[pair] = uniform;
    angles[pair] = angle;
  }

  /** Transforms the first pairs in place. */
  void transform(int pairs) {
    split(pairs);
    toRadii(pairs);
    toNormals(pairs);
  }

  /** After the transform: the normal value by the cosine. */
  double cosine(int pair) {
    return radii[pair];
  }

  /** After the transform: the normal value by the sine. */
  double sine(int pair) {
    return angles[pair];
  }

  /** Each uniform value to a number within a root of 2 from 1 and a power of 2. */
  private void split(int pairs) {
    for (int i = 0; i < pairs; i++) {
      long bits = Double.doubleToRawLongBits(radii[i]);
      long exponent = (bits - HALF_ROOT_BITS) >> FRACTION_BITS;
      exponents[i] = exponent;
      radii[i] = Double.longBitsToDouble(bits - (exponent << FRACTION_BITS));
    }
  }

  /** √(-2 log), with the logarithm as twice the series of artanh((m - 1) / (m + 1)). */
  private void toRadii(int pairs) {
    for (int i = 0; i < pairs; i++) {
      double r = (radii[i] - 1) / (radii[i] + 1);
      double z = r * r;
      double series = 1.0 / 9 + z * (1.0 / 11 + z * (1.0 / 13));
      series = 1 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * series)));
      radii[i] = Math.sqrt(-2 * (exponents[i] * LOG_TWO + 2 * r * series));
    }
  }

  /**
   * Radius times cosine and sine. Half the angle from π is at most π / 2, where the Taylor series
   * of both are short; doubling it gives the angle's own.
   */
  private void toNormals(int pairs) {
    for (int i = 0; i < pairs; i++) {
      double half = 0.5 * (angles[i] - Math.PI);
      double z = half * half;
      double sine = -1.0 / 39916800 + z * (1.0 / 6227020800L + z * (-1.0 / 1307674368000L));
      sine = 1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * sine));
      sine = half * (1 + z * (-1.0 / 6 + z * sine));
      double cosine = 1.0 / 479001600 + z * (-1.0 / 87178291200L);
      cosine = -1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * cosine));
      cosine = 1 + z * (-1.0 / 2 + z * (1.0 / 24 + z * cosine));
      double radius = radii[i];
      radii[i] = radius * (2 * sine * sine - 1);
      angles[i] = radius * (-2 * sine * cosine);
    }
  }
}
