package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tensor.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Pictures in files: format by the file's name when writing, by its content when reading. */
public final class PictureFile {

  /** Most pixels that are decoded unless another limit is given; as many as Pillow takes. */
  public static final long MAX_PIXELS = 178_956_970;

  private static final int MAX_BYTES = 1 << 30;

  private PictureFile() {}

  /**
   * Checks, before any work, that a picture could be written to a file.
   *
   * @param file where it is to be
   * @return the format it would have
   * @throws IllegalArgumentException if its name does not end in a known extension
   * @throws IOException if its folder is missing or read-only, or something is in its way
   */
  public static ImageFormat checkWritable(Path file) throws IOException {
    ImageFormat format = ImageFormat.of(file);
    AtomicFile.checkWritable(file);
    return format;
  }

  /**
   * Writes a picture in the format of the file's extension: whole, or not at all.
   *
   * @param image the picture
   * @param texts keyword to text, such as {@link Png#PARAMETERS}
   * @param file where; an existing file is replaced
   * @throws IOException if it cannot be written
   */
  public static void write(BufferedImage image, Map<String, String> texts, Path file)
      throws IOException {
    ImageFormat format = checkWritable(file);
    AtomicFile.write(file, out -> format.write(image, texts, out));
  }

  /**
   * Reads a picture of at most {@link #MAX_PIXELS}.
   *
   * @param file PNG, JPEG, GIF, BMP or TIFF
   * @return as {@link #read(Path, long)}
   * @throws IOException as there
   */
  public static BufferedImage read(Path file) throws IOException {
    return read(file, MAX_PIXELS);
  }

  /**
   * Reads a picture the way diffusers loads one: turned upright by its EXIF or XMP orientation,
   * then converted as {@link Images#rgb} says.
   *
   * @param file PNG, JPEG, GIF (first frame), BMP or TIFF
   * @param maxPixels most pixels to decode; looked up in the file before memory is taken
   * @return {@link BufferedImage#TYPE_3BYTE_BGR}
   * @throws IOException if it cannot be read, is of another format, corrupt or too large
   */
  public static BufferedImage read(Path file, long maxPixels) throws IOException {
    if (maxPixels < 1) {
      throw new IllegalArgumentException("maxPixels must be at least 1, got " + maxPixels);
    }
    return reading(
        file,
        in -> {
          byte[] bytes = in.readNBytes(MAX_BYTES + 1);
          if (bytes.length > MAX_BYTES) {
            throw new IOException("the file has over " + MAX_BYTES + " bytes");
          }
          return Orientation.of(bytes).apply(PictureDecoder.decode(bytes, maxPixels)).image();
        });
  }

  /**
   * The texts of a PNG or JPEG file.
   *
   * @param file the file
   * @return keyword to text, see {@link Png#readTexts} and {@link Jpeg#readTexts}; empty for other
   *     formats
   * @throws IOException if it cannot be read or is corrupt
   */
  public static Map<String, String> readTexts(Path file) throws IOException {
    return reading(
        file,
        in -> {
          in.mark(1);
          int first = in.read();
          in.reset();
          return switch (first) {
            case 0x89 -> Png.readTexts(in);
            case 0xff -> Jpeg.readTexts(in);
            default -> Map.of();
          };
        });
  }

  /** Reads something from a stream. */
  interface Reading<T> {
    T from(InputStream in) throws IOException;
  }

  /** Opens a file; what is wrong with its content is reported with its name. */
  static <T> T reading(Path file, Reading<T> reading) throws IOException {
    requireNonNull(file, "file");
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      return reading.from(in);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }
}
