package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Numbers as the elements of a tensor: little endian. */
final class ConstantBytes {

  private static final double LARGEST_FLOAT16 = 65504;

  private ConstantBytes() {}

  /** One number; beyond the range it becomes the largest or smallest finite one. */
  static ByteBuffer of(ElementType type, double value) {
    double limit = largest(type);
    double finite = Math.max(-limit, Math.min(limit, value));
    if (type == ElementType.INT64) {
      return bytes(8).putLong((long) finite).flip();
    }
    if (type == ElementType.INT32) {
      return bytes(4).putInt((int) finite).flip();
    }
    return type == ElementType.FLOAT64
        ? bytes(8).putDouble(value).flip()
        : of(type, new float[] {(float) finite});
  }

  /** Floats in their order. */
  static ByteBuffer of(ElementType type, float[] values) {
    ByteBuffer bytes = bytes(type.bytes() * values.length);
    for (float value : values) {
      type.put(bytes, value);
    }
    return bytes.flip();
  }

  /** The largest finite number of a type. */
  static double largest(ElementType type) {
    return switch (type) {
      case FLOAT16 -> LARGEST_FLOAT16;
      case BFLOAT16 -> Float.intBitsToFloat(0x7f7f0000);
      case FLOAT32 -> Float.MAX_VALUE;
      case INT64 -> Long.MAX_VALUE;
      case INT32 -> Integer.MAX_VALUE;
      default -> Double.MAX_VALUE;
    };
  }

  private static ByteBuffer bytes(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
