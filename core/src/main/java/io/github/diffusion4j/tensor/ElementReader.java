package io.github.diffusion4j.tensor;

import io.github.diffusion4j.ModelFormatException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Turns the bytes of a tensor into Java numbers, window by window, so that no size is special. */
final class ElementReader {

  /** Bytes of one window; a multiple of every element size. */
  static final long WINDOW = 1L << 28;

  /** Gives little-endian views of a tensor's bytes. */
  interface Windows {
    /** The bytes {@code [from, from + length)} of the tensor, positioned at 0. */
    ByteBuffer window(long from, int length);
  }

  private ElementReader() {}

  static float[] floats(TensorInfo info, Windows windows) {
    require(info, TensorType.Kind.FLOATING, "a floating point tensor");
    float[] values = new float[length(info)];
    int size = info.type().bits() / 8;
    for (long from = 0; from < info.length(); from += WINDOW) {
      int bytes = (int) Math.min(WINDOW, info.length() - from);
      fill(values, (int) (from / size), windows.window(from, bytes), info.type());
    }
    return values;
  }

  static long[] longs(TensorInfo info, Windows windows) {
    require(info, TensorType.Kind.INTEGER, "an integer tensor");
    long[] values = new long[length(info)];
    int size = info.type().bits() / 8;
    for (long from = 0; from < info.length(); from += WINDOW) {
      int bytes = (int) Math.min(WINDOW, info.length() - from);
      fill(values, (int) (from / size), windows.window(from, bytes), info.type());
    }
    return values;
  }

  private static void fill(float[] values, int at, ByteBuffer window, TensorType type) {
    int count = window.remaining() / (type.bits() / 8);
    switch (type) {
      case F32 -> window.asFloatBuffer().get(values, at, count);
      case F64 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = (float) window.getDouble(8 * i);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = HalfFloat.fromF16(window.getShort(2 * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = HalfFloat.fromBf16(window.getShort(2 * i));
        }
      }
      default -> throw new IllegalArgumentException("type must be floating, got " + type);
    }
  }

  private static void fill(long[] values, int at, ByteBuffer window, TensorType type) {
    int count = window.remaining() / (type.bits() / 8);
    if (type == TensorType.I64) {
      window.asLongBuffer().get(values, at, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      values[at + i] =
          switch (type) {
            case I32 -> window.getInt(4 * i);
            case I16 -> window.getShort(2 * i);
            case I8 -> window.get(i);
            case U8 -> window.get(i) & 0xff;
            case BOOL -> window.get(i) == 0 ? 0 : 1;
            default -> throw new IllegalArgumentException("type must be integer, got " + type);
          };
    }
  }

  private static void require(TensorInfo info, TensorType.Kind kind, String expected) {
    if (info.type().kind() != kind) {
      String found = info.type().kind() == TensorType.Kind.OTHER ? ", which cannot be read" : "";
      throw new ModelFormatException(
          describe(info) + ": expected " + expected + ", found " + info.type() + found);
    }
  }

  private static int length(TensorInfo info) {
    if (info.elements() > Integer.MAX_VALUE - 8) {
      throw new ModelFormatException(
          describe(info) + ": " + info.elements() + " elements do not fit into one array");
    }
    return (int) info.elements();
  }

  static String describe(TensorInfo info) {
    String shape = Arrays.toString(info.shape().toArray());
    return info.file() + ": tensor \"" + info.name() + "\" " + info.type() + shape;
  }
}
