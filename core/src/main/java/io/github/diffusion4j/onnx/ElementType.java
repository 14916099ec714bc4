package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.platform.Fp16Conversions;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** Element types of tensors that cross the border of a network. */
public enum ElementType {
  /** 32-bit IEEE float. */
  FLOAT32(4, true),
  /** 16-bit IEEE float. */
  FLOAT16(2, true),
  /** Upper half of a 32-bit float. */
  BFLOAT16(2, true),
  /** 64-bit IEEE float. */
  FLOAT64(8, true),
  /** Signed 64-bit integer. */
  INT64(8, false),
  /** Signed 32-bit integer. */
  INT32(4, false),
  /** One byte, 0 or 1. */
  BOOL(1, false),
  /** A type that no network of a diffusion pipeline takes or gives. */
  UNSUPPORTED(0, false);

  /** Types that networks compute pictures, embeddings and latents in. */
  public static final Set<ElementType> FLOATS =
      Collections.unmodifiableSet(EnumSet.of(FLOAT32, FLOAT16, BFLOAT16));

  private final int bytes;
  private final boolean floating;

  ElementType(int bytes, boolean floating) {
    this.bytes = bytes;
    this.floating = floating;
  }

  /**
   * Size of one element.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
  }

  /**
   * Whether values are real numbers.
   *
   * @return true for the float types
   */
  public boolean floating() {
    return floating;
  }

  /**
   * Writes a number as an element.
   *
   * @param bytes written to at its position, in its byte order
   * @param value rounded to nearest; for integers towards zero
   * @throws IllegalArgumentException if this type is not of numbers
   */
  public void put(ByteBuffer bytes, float value) {
    switch (this) {
      case FLOAT32 -> bytes.putFloat(value);
      case FLOAT16 -> bytes.putShort(Fp16Conversions.floatToFp16(value));
      case BFLOAT16 -> bytes.putShort(Fp16Conversions.floatToBf16(value));
      case FLOAT64 -> bytes.putDouble(value);
      case INT64 -> bytes.putLong((long) value);
      case INT32 -> bytes.putInt((int) value);
      case BOOL, UNSUPPORTED ->
          throw new IllegalArgumentException("type must be of numbers, got " + this);
    }
  }

  static ElementType of(TensorInfo info) {
    return switch (info.onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> FLOAT32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> FLOAT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> BFLOAT16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> FLOAT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> INT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> INT32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> BOOL;
      default -> UNSUPPORTED;
    };
  }

  OnnxJavaType java() {
    return switch (this) {
      case FLOAT32 -> OnnxJavaType.FLOAT;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case BFLOAT16 -> OnnxJavaType.BFLOAT16;
      case FLOAT64 -> OnnxJavaType.DOUBLE;
      case INT64 -> OnnxJavaType.INT64;
      case INT32 -> OnnxJavaType.INT32;
      case BOOL -> OnnxJavaType.BOOL;
      case UNSUPPORTED -> OnnxJavaType.UNKNOWN;
    };
  }
}
