package io.github.diffusion4j.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the stored rows and columns of a picture lie, in EXIF's numbers: 1 upright, 2 mirrored, 3
 * upside down, 4 both, 5 to 8 the same with rows and columns exchanged. Looked up where Pillow
 * looks: EXIF first, XMP if EXIF is silent.
 *
 * @param value 1 to 8; others mean upright
 */
record Orientation(int value) {

  private static final int NOT_STATED = 0;
  private static final int TEXT_LIMIT = 16 << 20;
  private static final Pattern XMP = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");
  private static final String RAW_PROFILE = "Raw profile type exif";

  /** The orientation that a PNG or JPEG file states; upright for others and for damaged data. */
  static Orientation of(byte[] file) {
    Found found = new Found();
    try {
      if (isPng(file)) {
        found.inPng(new PngChunks(new ByteArrayInputStream(file)));
      } else if (isJpeg(file)) {
        for (JpegSegment segment : JpegSegment.read(new ByteArrayInputStream(file))) {
          found.exif(Jpeg.exif(segment));
          Jpeg.xmp(segment).ifPresent(found::xmp);
        }
      }
    } catch (IOException e) {
      // The decoder reports what is wrong with the file; until there its orientation holds.
    }
    return new Orientation(found.exif != NOT_STATED ? found.exif : found.xmp);
  }

  static boolean isPng(byte[] file) {
    return file.length > 0 && file[0] == (byte) 0x89;
  }

  static boolean isJpeg(byte[] file) {
    return file.length > 1 && file[0] == (byte) 0xff && file[1] == (byte) 0xd8;
  }

  /** The picture upright. */
  Raster8 apply(Raster8 from) {
    if (value < 2 || value > 8) {
      return from;
    }
    boolean exchanged = value >= 5;
    boolean mirrored = value == 2 || value == 3 || value == 7 || value == 8;
    boolean upsideDown = value == 3 || value == 4 || value == 6 || value == 7;
    int width = exchanged ? from.height() : from.width();
    int height = exchanged ? from.width() : from.height();
    int channels = from.channels();
    byte[] levels = new byte[from.levels().length];
    for (int y = 0, at = 0; y < height; y++) {
      for (int x = 0; x < width; x++, at += channels) {
        int column = exchanged ? y : x;
        int row = exchanged ? x : y;
        column = mirrored ? from.width() - 1 - column : column;
        row = upsideDown ? from.height() - 1 - row : row;
        int source = (row * from.width() + column) * channels;
        System.arraycopy(from.levels(), source, levels, at, channels);
      }
    }
    return new Raster8(width, height, channels, levels);
  }

  /** What was found so far; the first statement of each kind counts. */
  private static final class Found {
    private int exif = NOT_STATED;
    private int xmp = NOT_STATED;

    void inPng(PngChunks chunks) throws IOException {
      while (chunks.next()) {
        String type = chunks.type();
        if (type.equals("eXIf")) {
          exif(Exif.parse(chunks.data(TEXT_LIMIT)));
        } else if (PngText.isText(type)) {
          Map.Entry<String, String> text = PngText.parse(type, chunks.data(TEXT_LIMIT), TEXT_LIMIT);
          switch (text.getKey()) {
            case "XML:com.adobe.xmp" -> xmp(text.getValue());
            case RAW_PROFILE -> rawProfile(text.getValue()).ifPresent(this::exif);
            default -> {
              // a text about something else
            }
          }
        }
      }
    }

    void exif(Exif data) {
      exif = exif == NOT_STATED ? data.orientation() : exif;
    }

    void xmp(String packet) {
      Matcher matcher = XMP.matcher(packet);
      if (xmp == NOT_STATED && matcher.find()) {
        xmp = Integer.parseInt(matcher.group(1));
      }
    }

    /**
     * ImageMagick's form: a blank line, the kind, the length, then {@code Exif\0\0} and TIFF in
     * hex.
     */
    private static Optional<Exif> rawProfile(String text) {
      String[] lines = text.split("\n", 4);
      try {
        byte[] data = HexFormat.of().parseHex(lines[lines.length - 1].replaceAll("\\s", ""));
        String head = new String(data, 0, Math.min(6, data.length), StandardCharsets.ISO_8859_1);
        int start = head.equals("Exif\0\0") ? 6 : 0;
        return Optional.of(Exif.parse(Arrays.copyOfRange(data, start, data.length)));
      } catch (IllegalArgumentException e) {
        return Optional.empty();
      }
    }
  }
}
