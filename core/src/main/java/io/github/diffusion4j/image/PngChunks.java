package io.github.diffusion4j.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * The chunks of a PNG stream, one after another. Data is read only where it is asked for, checked
 * against its CRC, and never allocated by the length that the stream states.
 */
final class PngChunks {

  private final InputStream in;
  private String type = "";
  private long pending;

  /** Reads the signature. */
  PngChunks(InputStream in) throws IOException {
    this.in = in;
    if (ByteBuffer.wrap(exactly(8)).getLong() != PngEncoder.SIGNATURE) {
      throw new IOException("not a PNG file: its first 8 bytes are not PNG's signature");
    }
  }

  /** Moves to the next chunk: false after IEND. */
  boolean next() throws IOException {
    skip();
    if (type.equals("IEND")) {
      return false;
    }
    ByteBuffer head = ByteBuffer.wrap(exactly(8));
    int length = head.getInt();
    type = new String(head.array(), 4, 4, StandardCharsets.ISO_8859_1);
    if (length < 0) {
      throw new IOException("the PNG chunk " + type + " has a length over 2^31");
    }
    pending = length + 4L;
    return true;
  }

  /** Type of this chunk, such as {@code IHDR}. */
  String type() {
    return type;
  }

  /** Length of this chunk's data. */
  long length() {
    return pending - 4;
  }

  /** The data of this chunk, its CRC checked. */
  byte[] data(int limit) throws IOException {
    if (length() > limit) {
      throw new IOException(
          "the PNG chunk " + type + " has " + length() + " bytes; the limit is " + limit);
    }
    byte[] data = exactly((int) length());
    CRC32 crc = new CRC32();
    crc.update(type.getBytes(StandardCharsets.ISO_8859_1));
    crc.update(data);
    int stated = ByteBuffer.wrap(exactly(4)).getInt();
    pending = 0;
    if (stated != (int) crc.getValue()) {
      throw new IOException("the PNG chunk " + type + " is corrupt: its CRC is wrong");
    }
    return data;
  }

  private void skip() throws IOException {
    while (pending > 0) {
      long skipped = in.skip(pending);
      if (skipped <= 0) {
        if (in.read() < 0) {
          throw new EOFException("the PNG file ends inside its chunk " + type);
        }
        skipped = 1;
      }
      pending -= skipped;
    }
  }

  private byte[] exactly(int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new EOFException(
          "the PNG file ends " + (type.isEmpty() ? "in its signature" : "after its chunk " + type));
    }
    return bytes;
  }
}
