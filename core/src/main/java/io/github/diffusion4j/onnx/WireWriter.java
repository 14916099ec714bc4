package io.github.diffusion4j.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes protobuf's wire format into memory: the counterpart of {@link WireReader}. */
final class WireWriter {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A field with a number. */
  WireWriter number(int field, long value) {
    varint((long) field << 3);
    varint(value);
    return this;
  }

  /** A field with bytes: a message, values. */
  WireWriter bytes(int field, byte[] value) {
    varint((long) field << 3 | 2);
    varint(value.length);
    return raw(value);
  }

  /** A field with a text. */
  WireWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Whole fields as they are. */
  WireWriter raw(byte[] fields) {
    out.write(fields, 0, fields.length);
    return this;
  }

  /** Whole fields as they are, out of a larger array. */
  WireWriter raw(byte[] fields, int from, int to) {
    out.write(fields, from, to - from);
    return this;
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }
}
