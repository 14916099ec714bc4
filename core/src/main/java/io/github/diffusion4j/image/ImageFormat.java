package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** File formats that pictures are written in. */
public enum ImageFormat {
  /** Lossless, with texts: {@link Png}. */
  PNG {
    @Override
    public void write(BufferedImage image, Map<String, String> texts, OutputStream out)
        throws IOException {
      Png.write(image, texts, out);
    }
  },

  /** Lossy, without alpha, with texts: {@link Jpeg} at {@link Jpeg#DEFAULT_QUALITY}. */
  JPEG {
    @Override
    public void write(BufferedImage image, Map<String, String> texts, OutputStream out)
        throws IOException {
      Jpeg.write(image, texts, Jpeg.DEFAULT_QUALITY, out);
    }
  };

  /**
   * The format that a file's name asks for.
   *
   * @param file its name must end in {@code .png}, {@code .jpg} or {@code .jpeg}, in any case
   * @return the format
   * @throws IllegalArgumentException if it ends otherwise
   */
  public static ImageFormat of(Path file) {
    Path last = requireNonNull(file, "file").getFileName();
    String name = last == null ? "" : last.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".png")) {
      return PNG;
    }
    if (name.endsWith(".jpg") || name.endsWith(".jpeg")) {
      return JPEG;
    }
    throw new IllegalArgumentException(
        "file must end in .png, .jpg or .jpeg to be written as a picture, got \"" + file + "\"");
  }

  /**
   * Writes a picture as a stream of this format.
   *
   * @param image the picture
   * @param texts keyword to text, see {@link Png} and {@link Jpeg}
   * @param out not closed
   * @throws IOException if it cannot be written
   */
  public abstract void write(BufferedImage image, Map<String, String> texts, OutputStream out)
      throws IOException;
}
