package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class HalfFloatTest {

  @Test
  void everyBinary16HasItsValue() {
    for (int bits = 0; bits < 65536; bits++) {
      assertEquals(naive(bits), HalfFloat.fromF16((short) bits), "pattern " + bits);
    }
  }

  @Test
  void everyBfloat16IsTheUpperHalf() {
    for (int bits = 0; bits < 65536; bits++) {
      float expected = Float.intBitsToFloat(bits << 16);
      assertEquals(expected, HalfFloat.fromBf16((short) bits), "pattern " + bits);
    }
  }

  private static float naive(int bits) {
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    double magnitude =
        switch (exponent) {
          case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          case 0 -> Math.scalb((double) fraction, -24);
          default -> Math.scalb((double) (1024 + fraction), exponent - 25);
        };
    return (float) (bits < 32768 ? magnitude : -magnitude);
  }
}
