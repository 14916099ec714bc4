package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tensor.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * PNG files with texts: {@link #PARAMETERS} is what the viewers of the Stable Diffusion ecosystem
 * read ({@link A1111Parameters}), {@link #PROVENANCE} our own complete record.
 */
public final class Png {

  /** Keyword of the generation parameters in the form of AUTOMATIC1111's web UI. */
  public static final String PARAMETERS = "parameters";

  /** Keyword of the JSON that says all about how a picture was made. */
  public static final String PROVENANCE = "diffusion4j";

  /** Longest text read from a file, and the most that all texts may have together. */
  private static final int TEXT_LIMIT = 16 << 20;

  private static final int ALL_TEXTS_LIMIT = 64 << 20;

  private Png() {}

  /**
   * Writes a PNG file: whole, or not at all. 8 bit grey, RGB, or RGBA if the picture has alpha.
   *
   * @param image the picture
   * @param texts keyword (1 to 79 Latin-1 characters) to text, any Unicode but NUL
   * @param file where; an existing file is replaced
   * @throws IOException if it cannot be written
   */
  public static void write(BufferedImage image, Map<String, String> texts, Path file)
      throws IOException {
    AtomicFile.write(file, out -> write(image, texts, out));
  }

  /**
   * Writes a PNG stream.
   *
   * @param image the picture
   * @param texts keyword (1 to 79 Latin-1 characters) to text, any Unicode but NUL
   * @param out not closed
   * @throws IOException if it cannot be written
   */
  public static void write(BufferedImage image, Map<String, String> texts, OutputStream out)
      throws IOException {
    requireNonNull(image, "image");
    PngEncoder png = new PngEncoder(requireNonNull(out, "out"));
    png.signature();
    png.header(image);
    for (Map.Entry<String, String> entry : texts.entrySet()) {
      new PngText(entry.getKey(), entry.getValue()).write(png);
    }
    png.pixels(image);
    png.chunk("IEND", new byte[0], 0);
  }

  /**
   * The texts of a PNG file, wherever they stand in it; of several under one keyword the last.
   *
   * @param file the file
   * @return keyword to text, in the file's order, unmodifiable
   * @throws IOException if it cannot be read, is no PNG file, or a text is corrupt or over 16 MiB
   */
  public static Map<String, String> readTexts(Path file) throws IOException {
    return PictureFile.reading(file, Png::readTexts);
  }

  /**
   * The texts of a PNG stream; reads to its end.
   *
   * @param in not closed
   * @return keyword to text, in the stream's order, unmodifiable
   * @throws IOException as for a file
   */
  public static Map<String, String> readTexts(InputStream in) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    PngChunks chunks = new PngChunks(in);
    long total = 0;
    while (chunks.next()) {
      if (PngText.isText(chunks.type())) {
        Map.Entry<String, String> text =
            PngText.parse(chunks.type(), chunks.data(TEXT_LIMIT), TEXT_LIMIT);
        total += text.getValue().length();
        if (total > ALL_TEXTS_LIMIT) {
          throw new IOException("the texts of the PNG file are over " + ALL_TEXTS_LIMIT + " bytes");
        }
        texts.put(text.getKey(), text.getValue());
      }
    }
    return Collections.unmodifiableMap(texts);
  }
}
