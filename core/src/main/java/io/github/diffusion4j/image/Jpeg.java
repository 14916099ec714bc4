package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * JPEG files with texts: {@link Png#PARAMETERS} stands in the EXIF user comment, where the
 * ecosystem looks for it; all other texts, and parameters too long for EXIF's 64 KiB, stand in
 * comment segments as {@code keyword NUL UTF-8}, the segments of one keyword to be joined.
 */
public final class Jpeg {

  /** Quality that pictures are written with unless another is asked for. */
  public static final double DEFAULT_QUALITY = 0.95;

  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] XMP =
      "http://ns.adobe.com/xap/1.0/\0".getBytes(StandardCharsets.US_ASCII);

  private Jpeg() {}

  /**
   * Writes a JPEG stream.
   *
   * @param image 8 bit grey, else taken as {@link Images#rgb}: alpha is dropped
   * @param texts keyword (1 to 79 characters without NUL) to text, any Unicode
   * @param quality 0 (small) to 1 (good)
   * @param out not closed
   * @throws IOException if it cannot be written
   */
  public static void write(
      BufferedImage image, Map<String, String> texts, double quality, OutputStream out)
      throws IOException {
    if (!(quality >= 0 && quality <= 1)) {
      throw new IllegalArgumentException("quality must be in [0, 1], got " + quality);
    }
    byte[] encoded = encode(Raster8.greyOrRgb(requireNonNull(image, "image")), (float) quality);
    int head = headLength(encoded);
    out.write(encoded, 0, head);
    for (Map.Entry<String, String> entry : texts.entrySet()) {
      writeText(entry.getKey(), entry.getValue(), out);
    }
    out.write(encoded, head, encoded.length - head);
  }

  /**
   * The texts of a JPEG stream; a comment without keyword is under {@code comment}.
   *
   * @param in not closed; read up to the picture data
   * @return keyword to text, in the stream's order, unmodifiable
   * @throws IOException if it cannot be read or is no JPEG stream
   */
  public static Map<String, String> readTexts(InputStream in) throws IOException {
    Map<String, ByteArrayOutputStream> comments = new LinkedHashMap<>();
    Map<String, String> texts = new LinkedHashMap<>();
    for (JpegSegment segment : JpegSegment.read(in)) {
      if (segment.marker() == JpegSegment.APP1) {
        exif(segment).userComment().ifPresent(text -> texts.putIfAbsent(Png.PARAMETERS, text));
      } else if (segment.marker() == JpegSegment.COMMENT) {
        byte[] data = segment.data();
        int end = 0;
        while (end < data.length && data[end] != 0) {
          end++;
        }
        boolean named = end > 0 && end < data.length;
        String keyword = named ? new String(data, 0, end, StandardCharsets.UTF_8) : "comment";
        int start = named ? end + 1 : 0;
        comments
            .computeIfAbsent(keyword, key -> new ByteArrayOutputStream())
            .write(data, start, data.length - start);
      }
    }
    comments.forEach((keyword, text) -> texts.put(keyword, text.toString(StandardCharsets.UTF_8)));
    return Collections.unmodifiableMap(texts);
  }

  /** The EXIF data of an APP1 segment, or none. */
  static Exif exif(JpegSegment segment) {
    return content(segment, EXIF).map(Exif::parse).orElse(Exif.NONE);
  }

  /** The XMP packet of an APP1 segment, or nothing. */
  static Optional<String> xmp(JpegSegment segment) {
    return content(segment, XMP).map(data -> new String(data, StandardCharsets.UTF_8));
  }

  private static Optional<byte[]> content(JpegSegment segment, byte[] head) {
    byte[] data = segment.data();
    boolean found =
        segment.marker() == JpegSegment.APP1
            && data.length >= head.length
            && Arrays.equals(data, 0, head.length, head, 0, head.length);
    return found
        ? Optional.of(Arrays.copyOfRange(data, head.length, data.length))
        : Optional.empty();
  }

  private static byte[] encode(Raster8 raster, float quality) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      writer.setOutput(out);
      writer.write(null, new IIOImage(raster.image(), null, null), param);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }

  /** Length of the start marker and of JFIF's segment, which must come first if it is there. */
  private static int headLength(byte[] encoded) {
    boolean jfif = encoded[3] == (byte) JpegSegment.APP0;
    return jfif ? 4 + ((encoded[4] & 0xff) << 8 | encoded[5] & 0xff) : 2;
  }

  private static void writeText(String keyword, String text, OutputStream out) throws IOException {
    if (keyword.isEmpty() || keyword.length() > 79 || keyword.indexOf(0) >= 0) {
      throw new IllegalArgumentException(
          "keyword must have 1 to 79 characters without NUL, got \"" + keyword + "\"");
    }
    if (keyword.equals(Png.PARAMETERS)) {
      byte[] exif = join(EXIF, Exif.withUserComment(text), 0, Integer.MAX_VALUE);
      if (exif.length <= JpegSegment.MAX_DATA) {
        writeSegment(JpegSegment.APP1, exif, out);
        return;
      }
    }
    byte[] head = (keyword + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int at = 0;
    do {
      byte[] segment = join(head, bytes, at, JpegSegment.MAX_DATA);
      writeSegment(JpegSegment.COMMENT, segment, out);
      at += segment.length - head.length;
    } while (at < bytes.length);
  }

  private static byte[] join(byte[] head, byte[] tail, int from, int limit) {
    int count = Math.min(tail.length - from, limit - head.length);
    byte[] joined = Arrays.copyOf(head, head.length + count);
    System.arraycopy(tail, from, joined, head.length, count);
    return joined;
  }

  private static void writeSegment(int marker, byte[] data, OutputStream out) throws IOException {
    int length = data.length + 2;
    out.write(new byte[] {(byte) 0xff, (byte) marker, (byte) (length >> 8), (byte) length});
    out.write(data);
  }
}
