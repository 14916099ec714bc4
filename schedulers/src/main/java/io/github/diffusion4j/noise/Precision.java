package io.github.diffusion4j.noise;

/** Floating point types narrower than or equal to {@code float} that noise can be drawn in. */
public enum Precision {
  /** 32 bits. */
  FLOAT32 {
    @Override
    public float round(float value) {
      return value;
    }
  },
  /** IEEE half precision: 5 bits of exponent, 10 of fraction. */
  FLOAT16 {
    @Override
    public float round(float value) {
      float size = Math.abs(value);
      if (size >= 65520f) {
        return Math.copySign(Float.POSITIVE_INFINITY, value);
      }
      if (size < 0x1p-14f) {
        return Math.copySign((float) (Math.rint(size * 0x1p24) * 0x1p-24), value);
      }
      return roundFraction(value, 13);
    }
  },
  /** The upper half of a 32-bit float: 8 bits of exponent, 7 of fraction. */
  BFLOAT16 {
    @Override
    public float round(float value) {
      return roundFraction(value, 16);
    }
  };

  /**
   * The nearest value of this type, ties to even.
   *
   * @param value any value
   * @return a float that this type holds exactly
   */
  public abstract float round(float value);

  private static float roundFraction(float value, int dropped) {
    if (!Float.isFinite(value)) {
      return value;
    }
    int bits = Float.floatToRawIntBits(value);
    int half = (1 << (dropped - 1)) - 1 + ((bits >>> dropped) & 1);
    return Float.intBitsToFloat((bits + half) & -(1 << dropped));
  }
}
