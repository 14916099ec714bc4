package io.github.diffusion4j.onnx;

/** Element types of tensors in an ONNX file, in the order of the format's numbers from 1. */
public enum OnnxType {
  /** 32-bit IEEE float. */
  FLOAT32(32, Kind.NUMBER, ElementType.FLOAT32),
  /** Unsigned byte. */
  UINT8(8, Kind.NUMBER),
  /** Signed byte. */
  INT8(8, Kind.NUMBER),
  /** Unsigned 16-bit integer. */
  UINT16(16, Kind.INDEX),
  /** Signed 16-bit integer. */
  INT16(16, Kind.INDEX),
  /** Signed 32-bit integer. */
  INT32(32, Kind.INDEX, ElementType.INT32),
  /** Signed 64-bit integer. */
  INT64(64, Kind.INDEX, ElementType.INT64),
  /** Text of any length. */
  STRING(0, Kind.INDEX),
  /** One byte, 0 or 1. */
  BOOL(8, Kind.INDEX, ElementType.BOOL),
  /** 16-bit IEEE float. */
  FLOAT16(16, Kind.NUMBER, ElementType.FLOAT16),
  /** 64-bit IEEE float. */
  FLOAT64(64, Kind.NUMBER, ElementType.FLOAT64),
  /** Unsigned 32-bit integer. */
  UINT32(32, Kind.INDEX),
  /** Unsigned 64-bit integer. */
  UINT64(64, Kind.INDEX),
  /** Two 32-bit floats. */
  COMPLEX64(64, Kind.NUMBER),
  /** Two 64-bit floats. */
  COMPLEX128(128, Kind.NUMBER),
  /** Upper half of a 32-bit float. */
  BFLOAT16(16, Kind.NUMBER, ElementType.BFLOAT16),
  /** 8-bit float, 4 exponent bits, no infinities. */
  FLOAT8E4M3FN(8, Kind.NUMBER),
  /** 8-bit float, 4 exponent bits, no infinities, no negative zero. */
  FLOAT8E4M3FNUZ(8, Kind.NUMBER),
  /** 8-bit float, 5 exponent bits. */
  FLOAT8E5M2(8, Kind.NUMBER),
  /** 8-bit float, 5 exponent bits, no infinities, no negative zero. */
  FLOAT8E5M2FNUZ(8, Kind.NUMBER),
  /** Unsigned 4-bit integer, two in a byte. */
  UINT4(4, Kind.NUMBER),
  /** Signed 4-bit integer, two in a byte. */
  INT4(4, Kind.NUMBER),
  /** 4-bit float, two in a byte. */
  FLOAT4E2M1(4, Kind.NUMBER),
  /** 8-bit power of two. */
  FLOAT8E8M0(8, Kind.NUMBER),
  /** Unsigned 2-bit integer, four in a byte. */
  UINT2(2, Kind.NUMBER),
  /** Signed 2-bit integer, four in a byte. */
  INT2(2, Kind.NUMBER);

  private enum Kind {
    /** Weights, also quantized ones. */
    NUMBER,
    /** Shapes, positions and switches. */
    INDEX
  }

  private final int bits;
  private final Kind kind;
  private final ElementType element;

  OnnxType(int bits, Kind kind) {
    this(bits, kind, ElementType.UNSUPPORTED);
  }

  OnnxType(int bits, Kind kind, ElementType element) {
    this.bits = bits;
    this.kind = kind;
    this.element = element;
  }

  /**
   * Size of one element.
   *
   * @return bits; 0 for texts
   */
  public int bits() {
    return bits;
  }

  /**
   * Whether tensors of this type are a network's parameters: floats, and integers of at most 8 bits
   * as quantized networks have them. Wider integers are shapes and positions.
   *
   * @return true if elements of this type are counted as parameters
   */
  public boolean isParameter() {
    return kind == Kind.NUMBER;
  }

  /**
   * What crosses the border of a network as this type.
   *
   * @return the type, {@link ElementType#UNSUPPORTED} for those that no pipeline uses
   */
  ElementType element() {
    return element;
  }

  /** The number of this type in ONNX files. */
  int code() {
    return ordinal() + 1;
  }

  /**
   * The number of an element type in ONNX files.
   *
   * @param type any but {@link ElementType#UNSUPPORTED}
   * @return as the format has it
   */
  public static int code(ElementType type) {
    for (OnnxType stored : values()) {
      if (stored.element() == type && type != ElementType.UNSUPPORTED) {
        return stored.code();
      }
    }
    throw new IllegalArgumentException("type must be supported, got " + type);
  }

  /** The type of a number in the file; fails where the format has none. */
  static OnnxType of(long code, WireReader in) {
    if (code < 1 || code > values().length) {
      throw in.error("element type " + code + " is unknown");
    }
    return values()[(int) code - 1];
  }
}
