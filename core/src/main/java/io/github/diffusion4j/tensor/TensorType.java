package io.github.diffusion4j.tensor;

import java.util.Optional;

/**
 * Element types of the safetensors format, under its names. Those with {@link Kind#OTHER} can be
 * located in a file (length, offset, raw bytes) but not converted to numbers here.
 */
public enum TensorType {
  /** IEEE 754 binary64. */
  F64(64, Kind.FLOATING),
  /** IEEE 754 binary32. */
  F32(32, Kind.FLOATING),
  /** IEEE 754 binary16. */
  F16(16, Kind.FLOATING),
  /** The upper half of a binary32. */
  BF16(16, Kind.FLOATING),
  /** Signed 64 bit integer. */
  I64(64, Kind.INTEGER),
  /** Signed 32 bit integer. */
  I32(32, Kind.INTEGER),
  /** Signed 16 bit integer. */
  I16(16, Kind.INTEGER),
  /** Signed byte. */
  I8(8, Kind.INTEGER),
  /** Unsigned byte. */
  U8(8, Kind.INTEGER),
  /** One byte, 0 or 1. */
  BOOL(8, Kind.INTEGER),
  /** Unsigned 64 bit integer. */
  U64(64, Kind.OTHER),
  /** Unsigned 32 bit integer. */
  U32(32, Kind.OTHER),
  /** Unsigned 16 bit integer. */
  U16(16, Kind.OTHER),
  /** Two binary32: real and imaginary part. */
  C64(64, Kind.OTHER),
  /** 8 bit float, 4 exponent bits. */
  F8_E4M3(8, Kind.OTHER),
  /** 8 bit float, 5 exponent bits. */
  F8_E5M2(8, Kind.OTHER),
  /** 8 bit power of two, used for scales. */
  F8_E8M0(8, Kind.OTHER),
  /** 8 bit float without infinities and negative zero, 4 exponent bits. */
  F8_E4M3FNUZ(8, Kind.OTHER),
  /** 8 bit float without infinities and negative zero, 5 exponent bits. */
  F8_E5M2FNUZ(8, Kind.OTHER),
  /** 6 bit float, 2 exponent bits. */
  F6_E2M3(6, Kind.OTHER),
  /** 6 bit float, 3 exponent bits. */
  F6_E3M2(6, Kind.OTHER),
  /** 4 bit float. */
  F4(4, Kind.OTHER);

  /** What elements of a type are read as. */
  public enum Kind {
    /** Read by {@link TensorStore#floats}. */
    FLOATING,
    /** Read by {@link TensorStore#longs}. */
    INTEGER,
    /** Not readable as numbers here. */
    OTHER
  }

  private final int bits;
  private final Kind kind;

  TensorType(int bits, Kind kind) {
    this.bits = bits;
    this.kind = kind;
  }

  /**
   * Size of an element.
   *
   * @return bits, 4 to 64
   */
  public int bits() {
    return bits;
  }

  /**
   * How elements are read.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * The type of a name as it stands in a safetensors header.
   *
   * @param name such as {@code BF16}
   * @return the type, or empty if the name is not known
   */
  static Optional<TensorType> named(String name) {
    for (TensorType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /**
   * Bytes that elements of this type take, packed without gaps.
   *
   * @param elements number of elements, not negative
   * @return the length in bytes
   * @throws ArithmeticException if it exceeds a long or is not a whole number of bytes
   */
  long bytes(long elements) {
    long total = Math.multiplyExact(elements, bits);
    if (total % 8 != 0) {
      throw new ArithmeticException(elements + " elements of " + bits + " bits end inside a byte");
    }
    return total / 8;
  }
}
