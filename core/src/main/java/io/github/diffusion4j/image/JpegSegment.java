package io.github.diffusion4j.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * The marker segments of a JPEG stream before its picture data.
 *
 * @param marker second byte of the marker, such as 0xE1 for APP1
 * @param data the segment without marker and length
 */
record JpegSegment(int marker, byte[] data) {

  static final int APP0 = 0xe0;
  static final int APP1 = 0xe1;
  static final int COMMENT = 0xfe;

  /** Most that a segment can hold: its length counts itself and has 16 bits. */
  static final int MAX_DATA = 65533;

  private static final int START = 0xd8;
  private static final int SCAN = 0xda;
  private static final int END = 0xd9;

  /** Reads up to the start of the scan. */
  static List<JpegSegment> read(InputStream in) throws IOException {
    if (in.read() != 0xff || in.read() != START) {
      throw new IOException("not a JPEG file: it does not begin with the marker SOI");
    }
    List<JpegSegment> segments = new ArrayList<>();
    while (true) {
      int marker = marker(in);
      if (marker == SCAN || marker == END) {
        return segments;
      }
      int length = octet(in) << 8 | octet(in);
      byte[] data = in.readNBytes(Math.max(0, length - 2));
      if (length < 2 || data.length < length - 2) {
        throw new EOFException("the JPEG file ends inside a segment or has one of a wrong length");
      }
      segments.add(new JpegSegment(marker, data));
    }
  }

  private static int marker(InputStream in) throws IOException {
    if (octet(in) != 0xff) {
      throw new IOException("the JPEG file is corrupt: no marker where one must be");
    }
    int marker = octet(in);
    while (marker == 0xff) {
      marker = octet(in);
    }
    return marker;
  }

  private static int octet(InputStream in) throws IOException {
    int octet = in.read();
    if (octet < 0) {
      throw new EOFException("the JPEG file ends before its picture data");
    }
    return octet;
  }
}
