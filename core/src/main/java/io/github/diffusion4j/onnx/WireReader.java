package io.github.diffusion4j.onnx;

import io.github.diffusion4j.ModelFormatException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads protobuf's wire format from front to back and never past the end of the message it is in.
 * What it is not asked for it skips, so that weights are not read. Not thread-safe.
 */
final class WireReader {

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;
  private static final int MAX_TEXT = 1 << 16;

  private final InputStream in;
  private final String name;
  private long position;
  private long limit;
  private int field;
  private int wire;
  private boolean pending;
  private long start;

  /**
   * A reader of one message.
   *
   * @param in buffered; not closed
   * @param size length of the message in bytes
   * @param name of the file, for messages
   */
  WireReader(InputStream in, long size, String name) {
    this.in = in;
    this.limit = size;
    this.name = name;
  }

  /** Goes to the next field of this message; what is left of the last one is skipped. */
  boolean next() throws IOException {
    if (pending) {
      skip();
    }
    if (position == limit) {
      return false;
    }
    start = position;
    long tag = varint();
    field = (int) (tag >>> 3);
    wire = (int) (tag & 7);
    if (field == 0 || tag >>> 32 != 0) {
      throw error("a field number is out of range");
    }
    pending = true;
    return true;
  }

  int field() {
    return field;
  }

  /** Position of the field's first byte: that of its tag. */
  long start() {
    return start;
  }

  /** Position of the next byte to be read. */
  long position() {
    return position;
  }

  /** The field's value as an integer. */
  long integer() throws IOException {
    take(VARINT);
    return varint();
  }

  /** Whether the field is a sequence of bytes: a message, a text, or packed numbers. */
  boolean isBytes() {
    return wire == BYTES;
  }

  /** The field's value as a text. */
  String text() throws IOException {
    long length = length();
    if (length > MAX_TEXT) {
      throw error("a name of " + length + " bytes is too long");
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw truncated();
    }
    position += length;
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw error("a name is not UTF-8 text");
    }
  }

  /** Skips the field's bytes and tells how many there are. */
  long skipBytes() throws IOException {
    long length = length();
    advance(length);
    return length;
  }

  /**
   * Goes into the field's message or packed numbers.
   *
   * @return the end of the message around it, for {@link #leave}
   */
  long enter() throws IOException {
    long length = length();
    long outer = limit;
    limit = position + length;
    return outer;
  }

  /** Whether packed numbers go on. */
  boolean more() {
    return position < limit;
  }

  /** Goes back to the message around this one; what is left of this one is skipped. */
  void leave(long outer) throws IOException {
    advance(limit - position);
    limit = outer;
    pending = false;
  }

  /** A number without its tag, for packed numbers. */
  long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = position < limit ? in.read() : -1;
      if (next < 0) {
        throw truncated();
      }
      position++;
      value |= (long) (next & 0x7f) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw error("a number has more than 64 bits");
  }

  private void skip() throws IOException {
    switch (wire) {
      case VARINT -> integer();
      case BYTES -> skipBytes();
      case FIXED64 -> {
        take(FIXED64);
        advance(8);
      }
      case FIXED32 -> {
        take(FIXED32);
        advance(4);
      }
      default -> throw error("a field has the unknown form " + wire);
    }
  }

  private long length() throws IOException {
    take(BYTES);
    long length = varint();
    if (length < 0 || length > limit - position) {
      throw error("field " + field + " goes beyond the end of its message");
    }
    return length;
  }

  private void take(int expected) {
    if (wire != expected) {
      throw error("field " + field + " has the form " + wire + ", expected " + expected);
    }
    pending = false;
  }

  private void advance(long count) throws IOException {
    if (count > limit - position) {
      throw truncated();
    }
    try {
      in.skipNBytes(count);
    } catch (EOFException e) {
      throw truncated();
    }
    position += count;
  }

  private ModelFormatException truncated() {
    return error("the file is cut off");
  }

  /** An error at this place of the file. */
  ModelFormatException error(String what) {
    return new ModelFormatException(
        name
            + ": not a valid ONNX file: "
            + what
            + " (near byte "
            + position
            + "); download it again");
  }
}
