package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.platform.Fp16Conversions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/**
 * A tensor over one direct buffer of our own, filled again and again: the network reads inputs from
 * it and writes outputs into it without a copy. The only place where values change between Java's
 * float and int64 and the network's types. Not thread-safe.
 */
public final class OrtTensor implements AutoCloseable {

  private final ElementType type;
  private final int elements;
  private final ByteBuffer bytes;
  private final FloatBuffer floats;
  private final ShortBuffer halves;
  private final DoubleBuffer doubles;
  private final LongBuffer longs;
  private final IntBuffer ints;
  private final OnnxTensor tensor;
  private boolean closed;

  OrtTensor(ElementType type, long... shape) throws OrtException {
    this(type, allocate(type, shape), shape);
  }

  private OrtTensor(ElementType type, ByteBuffer bytes, long... shape) throws OrtException {
    this.type = type;
    this.bytes = bytes;
    this.elements = elements(shape);
    floats = type == ElementType.FLOAT32 ? bytes.asFloatBuffer() : null;
    boolean half = type == ElementType.FLOAT16 || type == ElementType.BFLOAT16;
    halves = half ? bytes.asShortBuffer() : null;
    doubles = type == ElementType.FLOAT64 ? bytes.asDoubleBuffer() : null;
    longs = type == ElementType.INT64 ? bytes.asLongBuffer() : null;
    ints = type == ElementType.INT32 ? bytes.asIntBuffer() : null;
    tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), bytes, shape, type.java());
    NativeCount.opened();
  }

  private static ByteBuffer allocate(ElementType type, long... shape) {
    int elements = elements(shape);
    if ((long) elements * type.bytes() > Integer.MAX_VALUE) {
      throw tooLarge(shape);
    }
    return ByteBuffer.allocateDirect(elements * type.bytes()).order(ByteOrder.nativeOrder());
  }

  /** A tensor over a part of this one's buffer. */
  OrtTensor view(int from, long... shape) throws OrtException {
    int count = elements(shape);
    if (from < 0 || from > elements - count) {
      throw new IllegalArgumentException(
          "a part of %d values from %d on is not within a tensor of %d"
              .formatted(count, from, elements));
    }
    ByteBuffer part =
        bytes.slice(from * type.bytes(), count * type.bytes()).order(ByteOrder.nativeOrder());
    return new OrtTensor(type, part, shape);
  }

  private static int elements(long... shape) {
    long n = 1;
    for (long dim : shape) {
      if (dim < 0) {
        throw new IllegalArgumentException(
            "tensor dimensions must not be negative, got " + TensorSpec.describe(shape));
      }
      n *= dim;
      if (n > Integer.MAX_VALUE) {
        throw tooLarge(shape);
      }
    }
    return (int) n;
  }

  private static IllegalArgumentException tooLarge(long... shape) {
    return new IllegalArgumentException(
        "a tensor of shape "
            + TensorSpec.describe(shape)
            + " is larger than the 2 GiB that one buffer can hold; use a smaller size or batch");
  }

  /**
   * What it holds.
   *
   * @return the type of its elements
   */
  public ElementType type() {
    return type;
  }

  /**
   * Number of values.
   *
   * @return product of the dimensions
   */
  public int elements() {
    return elements;
  }

  /**
   * Writes values, rounded to the tensor's type, or cut to integers.
   *
   * @param src source
   * @param from first value of the source
   * @param at first place in the tensor
   * @param count number of values
   */
  public void put(float[] src, int from, int at, int count) {
    switch (type) {
      case FLOAT32 -> floats.put(at, src, from, count);
      case FLOAT16 -> {
        for (int i = 0; i < count; i++) {
          halves.put(at + i, Fp16Conversions.floatToFp16(src[from + i]));
        }
      }
      case BFLOAT16 -> {
        for (int i = 0; i < count; i++) {
          halves.put(at + i, Fp16Conversions.floatToBf16(src[from + i]));
        }
      }
      case FLOAT64 -> {
        for (int i = 0; i < count; i++) {
          doubles.put(at + i, src[from + i]);
        }
      }
      case INT64 -> {
        for (int i = 0; i < count; i++) {
          longs.put(at + i, (long) src[from + i]);
        }
      }
      case INT32 -> {
        for (int i = 0; i < count; i++) {
          ints.put(at + i, (int) src[from + i]);
        }
      }
      default -> throw unsupported("numbers");
    }
  }

  /**
   * Writes all values.
   *
   * @param src as many values as the tensor has
   */
  public void put(float[] src) {
    if (src.length != elements) {
      throw new IllegalArgumentException(
          "the tensor holds " + elements + " values, got " + src.length);
    }
    put(src, 0, 0, elements);
  }

  /**
   * Writes all elements.
   *
   * @param src as many values as elements, from position to limit; not changed
   */
  public void put(FloatBuffer src) {
    if (src.remaining() != elements) {
      throw new IllegalArgumentException(
          "src must have " + elements + " values, got " + src.remaining());
    }
    if (floats != null) {
      floats.put(0, src, src.position(), elements);
      return;
    }
    ByteBuffer target = bytes.duplicate().order(ByteOrder.nativeOrder()).clear();
    for (int i = 0; i < elements; i++) {
      type.put(target, src.get(src.position() + i));
    }
  }

  /** Writes all elements, as many bytes as they take. */
  void put(ByteBuffer src) {
    bytes.put(0, src, src.position(), bytes.capacity());
  }

  /**
   * Writes one number into every place, cut to an integer where the tensor holds integers: a
   * timestep.
   *
   * @param value the number
   */
  public void fill(double value) {
    for (int i = 0; i < elements; i++) {
      set(i, value);
    }
  }

  /**
   * Writes one number, cut to an integer where the tensor holds integers.
   *
   * @param at its place in the tensor
   * @param value the number
   */
  public void set(int at, double value) {
    switch (type) {
      case FLOAT32 -> floats.put(at, (float) value);
      case FLOAT16 -> halves.put(at, Fp16Conversions.floatToFp16((float) value));
      case BFLOAT16 -> halves.put(at, Fp16Conversions.floatToBf16((float) value));
      case FLOAT64 -> doubles.put(at, value);
      case INT64 -> longs.put(at, (long) value);
      case INT32 -> ints.put(at, (int) value);
      default -> throw unsupported("numbers");
    }
  }

  /**
   * Writes integers.
   *
   * @param src as many values as the tensor has
   */
  public void put(long[] src) {
    if (src.length != elements) {
      throw new IllegalArgumentException(
          "the tensor holds " + elements + " values, got " + src.length);
    }
    for (int i = 0; i < elements; i++) {
      switch (type) {
        case INT64 -> longs.put(i, src[i]);
        case INT32 -> ints.put(i, Math.toIntExact(src[i]));
        default -> throw unsupported("integers");
      }
    }
  }

  /**
   * Reads values.
   *
   * @param at first place in the tensor
   * @param dst overwritten
   * @param from first place in the destination
   * @param count number of values
   */
  public void get(int at, float[] dst, int from, int count) {
    switch (type) {
      case FLOAT32 -> floats.get(at, dst, from, count);
      case FLOAT16 -> {
        for (int i = 0; i < count; i++) {
          dst[from + i] = Fp16Conversions.fp16ToFloat(halves.get(at + i));
        }
      }
      case BFLOAT16 -> {
        for (int i = 0; i < count; i++) {
          dst[from + i] = Fp16Conversions.bf16ToFloat(halves.get(at + i));
        }
      }
      case FLOAT64 -> {
        for (int i = 0; i < count; i++) {
          dst[from + i] = (float) doubles.get(at + i);
        }
      }
      default -> throw unsupported("floats");
    }
  }

  /**
   * Reads one truth value.
   *
   * @param at its place in the tensor
   * @return whether it is set
   */
  public boolean isTrue(int at) {
    if (type != ElementType.BOOL) {
      throw unsupported("truth values");
    }
    return bytes.get(at) != 0;
  }

  /**
   * Multiplies all values.
   *
   * @param factor rounded to a float; results are rounded to the tensor's type
   */
  public void multiply(float factor) {
    for (int i = 0; i < elements; i++) {
      set(i, factor * value(i));
    }
  }

  /**
   * Adds another tensor; sums are rounded to the tensor's type.
   *
   * @param other of the same type, with as many values, or with one for so many neighbours as it
   *     has fewer
   */
  public void add(OrtTensor other) {
    if (other.type != type || other.elements == 0 || elements % other.elements != 0) {
      throw new IllegalArgumentException(
          "cannot add %d values of %s to %d of %s"
              .formatted(other.elements, other.type, elements, type));
    }
    int each = elements / other.elements;
    for (int i = 0, at = 0; i < other.elements; i++) {
      float value = other.value(i);
      for (int end = at + each; at < end; at++) {
        set(at, value(at) + value);
      }
    }
  }

  private float value(int at) {
    return switch (type) {
      case FLOAT32 -> floats.get(at);
      case FLOAT16 -> Fp16Conversions.fp16ToFloat(halves.get(at));
      case BFLOAT16 -> Fp16Conversions.bf16ToFloat(halves.get(at));
      case FLOAT64 -> (float) doubles.get(at);
      default -> throw unsupported("floats");
    };
  }

  private IllegalStateException unsupported(String what) {
    return new IllegalStateException("a tensor of " + type + " does not take or give " + what);
  }

  OnnxTensor tensor() {
    return tensor;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      tensor.close();
      NativeCount.closed();
    }
  }
}
