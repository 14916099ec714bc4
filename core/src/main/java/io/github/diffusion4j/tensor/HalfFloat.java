package io.github.diffusion4j.tensor;

/** IEEE 754 binary16 and bfloat16 to float32, exact for every bit pattern. */
final class HalfFloat {

  private static final int MAGIC_BITS = 113 << 23;
  private static final float MAGIC = Float.intBitsToFloat(MAGIC_BITS);

  private HalfFloat() {}

  /** The value of a binary16; a NaN keeps its sign and payload. */
  static float fromF16(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = half & 0x7c00;
    int shifted = (half & 0x7fff) << 13;
    int bits;
    if (exponent == 0x7c00) {
      bits = shifted + ((255 - 31) << 23);
    } else if (exponent == 0) {
      // Subnormal: put the fraction behind a known exponent, take that exponent's 1 away again.
      bits = Float.floatToRawIntBits(Float.intBitsToFloat(shifted + MAGIC_BITS) - MAGIC);
    } else {
      bits = shifted + ((127 - 15) << 23);
    }
    return Float.intBitsToFloat(bits | sign);
  }

  /** The value of a bfloat16. */
  static float fromBf16(short brain) {
    return Float.intBitsToFloat(brain << 16);
  }
}
