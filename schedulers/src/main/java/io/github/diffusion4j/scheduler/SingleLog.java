package io.github.diffusion4j.scheduler;

/**
 * The natural logarithm in single precision as NumPy's vector code rounds it on common processors.
 *
 * <p>The reference cuts timesteps off to whole numbers that it finds through a table of such
 * logarithms; the ends of the table lie on whole numbers, so the last bit of the logarithm decides
 * between one timestep and the next.
 */
final class SingleLog {

  private static final float[] NUMERATOR = {
    0f,
    9.999999999999998702752e-01f,
    2.112677543073053063722e+00f,
    1.480000633576506585156e+00f,
    3.808837741388407920751e-01f,
    2.589979117907922693523e-02f
  };

  private static final float[] DENOMINATOR = {
    1f,
    2.612677543073109236779e+00f,
    2.453006071784736363091e+00f,
    9.864942958519418960339e-01f,
    1.546476374983906719538e-01f,
    5.875095403124574342950e-03f
  };

  private static final float LOG_TWO = (float) Math.log(2);
  private static final float HALF_ROOT = (float) Math.sqrt(0.5);

  private SingleLog() {}

  /** The logarithm: a rational approximation around 1 of the value scaled by a power of two. */
  static float of(float value) {
    if (!(value >= Float.MIN_NORMAL) || value == Float.POSITIVE_INFINITY) {
      return (float) Math.log(value);
    }
    int exponent = Math.getExponent(value) + 1;
    float mantissa = Math.scalb(value, -exponent);
    if (mantissa <= HALF_ROOT) {
      mantissa += mantissa;
      exponent--;
    }
    float x = mantissa - 1f;
    return Math.fma(
        (float) exponent, LOG_TWO, polynomial(NUMERATOR, x) / polynomial(DENOMINATOR, x));
  }

  private static float polynomial(float[] coefficients, float x) {
    float sum = coefficients[coefficients.length - 1];
    for (int i = coefficients.length - 2; i >= 0; i--) {
      sum = Math.fma(sum, x, coefficients[i]);
    }
    return sum;
  }
}
