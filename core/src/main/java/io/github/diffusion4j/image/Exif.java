package io.github.diffusion4j.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The two things that EXIF data is asked for here: a picture's orientation and its user comment.
 * Damaged data is as good as none.
 *
 * @param orientation 1 (upright) to 8, 0 if it is not stated
 * @param userComment free text, empty if there is none
 * @see <a href="https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf">EXIF 2.3</a>
 */
record Exif(int orientation, Optional<String> userComment) {

  static final Exif NONE = new Exif(0, Optional.empty());

  private static final int ORIENTATION = 0x0112;
  private static final int EXIF_IFD = 0x8769;
  private static final int USER_COMMENT = 0x9286;
  private static final int SHORT = 3;
  private static final int LONG = 4;
  private static final int UNDEFINED = 7;
  private static final byte[] UNICODE = "UNICODE\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ASCII = "ASCII\0\0\0".getBytes(StandardCharsets.US_ASCII);

  /** One entry of a directory; {@code value} is the position of its value or of its offset. */
  private record Entry(int type, long count, int value) {}

  /** Parses TIFF data as it stands in a JPEG's APP1 (after {@code Exif\0\0}) or a PNG's eXIf. */
  static Exif parse(byte[] tiff) {
    try {
      ByteBuffer data = ByteBuffer.wrap(tiff);
      data.order(tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      if (tiff[0] != tiff[1] || tiff[0] != 'I' && tiff[0] != 'M' || data.getShort(2) != 42) {
        return NONE;
      }
      int main = data.getInt(4);
      int orientation =
          find(data, main, ORIENTATION)
              .filter(entry -> entry.type() == SHORT)
              .map(entry -> (int) data.getShort(entry.value()))
              .orElse(0);
      Optional<String> comment =
          find(data, main, EXIF_IFD)
              .filter(entry -> entry.type() == LONG)
              .flatMap(entry -> find(data, data.getInt(entry.value()), USER_COMMENT))
              .filter(entry -> entry.type() == UNDEFINED && entry.count() >= 8)
              .map(entry -> comment(data, entry));
      return new Exif(orientation, comment);
    } catch (IndexOutOfBoundsException e) {
      return NONE;
    }
  }

  /** TIFF data that holds a user comment in UTF-16 and nothing else. */
  static byte[] withUserComment(String comment) {
    byte[] text = comment.getBytes(StandardCharsets.UTF_16BE);
    int size = UNICODE.length + text.length;
    return ByteBuffer.allocate(44 + size)
        .put(new byte[] {'M', 'M', 0, 42})
        .putInt(8)
        .putShort((short) 1)
        .put(entry(EXIF_IFD, LONG, 1, 26))
        .putInt(0)
        .putShort((short) 1)
        .put(entry(USER_COMMENT, UNDEFINED, size, 44))
        .putInt(0)
        .put(UNICODE)
        .put(text)
        .array();
  }

  private static byte[] entry(int tag, int type, int count, int value) {
    ByteBuffer entry = ByteBuffer.allocate(12).putShort((short) tag).putShort((short) type);
    return entry.putInt(count).putInt(value).array();
  }

  private static Optional<Entry> find(ByteBuffer data, int directory, int tag) {
    int entries = data.getShort(directory) & 0xffff;
    for (int i = 0; i < entries; i++) {
      int at = directory + 2 + 12 * i;
      if ((data.getShort(at) & 0xffff) == tag) {
        long count = data.getInt(at + 4) & 0xffffffffL;
        return Optional.of(new Entry(data.getShort(at + 2) & 0xffff, count, at + 8));
      }
    }
    return Optional.empty();
  }

  private static String comment(ByteBuffer data, Entry entry) {
    int start = data.getInt(entry.value());
    long end = start + entry.count();
    if (start < 0 || end > data.capacity()) {
      throw new IndexOutOfBoundsException("user comment ends at " + end);
    }
    byte[] code = Arrays.copyOfRange(data.array(), start, start + 8);
    byte[] text = Arrays.copyOfRange(data.array(), start + 8, (int) end);
    Charset charset = StandardCharsets.UTF_8;
    if (Arrays.equals(code, UNICODE)) {
      charset = utf16(text);
    } else if (Arrays.equals(code, ASCII)) {
      charset = StandardCharsets.US_ASCII;
    }
    return new String(text, charset);
  }

  /** The standard leaves the byte order open: the side with more zeros is the high one. */
  private static Charset utf16(byte[] text) {
    int balance = 0;
    for (int i = 0; i + 1 < text.length; i += 2) {
      balance += (text[i] == 0 ? 1 : 0) - (text[i + 1] == 0 ? 1 : 0);
    }
    return balance < 0 ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_16BE;
  }
}
