package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.image.Masks;
import io.github.diffusion4j.image.PictureFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Which part of a picture is painted anew: white is painted, black is kept. 8 bit grey; what is at
 * least half white counts as painted once the mask has the size of the painting. Immutable.
 */
public final class Mask {

  private final BufferedImage grey;

  private Mask(BufferedImage grey) {
    this.grey = grey;
  }

  /**
   * A mask in memory.
   *
   * @param image any picture, taken as grey; copied
   * @return the mask
   */
  public static Mask of(BufferedImage image) {
    return new Mask(Canvas.copyGrey(requireNonNull(image, "image")));
  }

  /**
   * A mask in a file, read now.
   *
   * @param file PNG, JPEG, GIF, BMP or TIFF
   * @return the mask
   * @throws IOException if it cannot be read
   */
  public static Mask read(Path file) throws IOException {
    return of(PictureFile.read(file));
  }

  /**
   * A mask as numbers.
   *
   * @param values rows from the top, 0 (kept) to 1 (painted)
   * @param width in pixels
   * @param height in pixels
   * @return the mask
   */
  public static Mask of(float[] values, int width, int height) {
    if (width < 1 || height < 1 || values.length != (long) width * height) {
      throw new IllegalArgumentException(
          "a mask of %d x %d needs as many values, got %d".formatted(width, height, values.length));
    }
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0 && values[i] <= 1)) {
        throw new IllegalArgumentException("mask values must be in [0, 1], got " + values[i]);
      }
      image.getRaster().setSample(i % width, i / width, 0, (int) Math.rint(values[i] * 255));
    }
    return new Mask(image);
  }

  /**
   * Width.
   *
   * @return in pixels
   */
  public int width() {
    return grey.getWidth();
  }

  /**
   * Height.
   *
   * @return in pixels
   */
  public int height() {
    return grey.getHeight();
  }

  /**
   * Grows what is painted on all sides.
   *
   * @param pixels at least 0
   * @return a new mask
   */
  public Mask dilated(int pixels) {
    return new Mask(Masks.dilate(grey, pixels));
  }

  /**
   * Softens the edges. What is painted stays hard; the soft edge shows where a painted part is set
   * into its picture ({@link Inpaint.Options#withCrop}, {@link Inpaint.Options#withOverlay}).
   *
   * @param deviation of the Gaussian in pixels, 0 to 1000
   * @return a new mask
   */
  public Mask blurred(double deviation) {
    return new Mask(Masks.blur(grey, deviation));
  }

  /**
   * Swaps what is painted and what is kept.
   *
   * @return a new mask
   */
  public Mask inverted() {
    return new Mask(Canvas.inverted(grey));
  }

  /** The mask as a picture, not to be changed. */
  BufferedImage image() {
    return grey;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Mask mask && Canvas.same(List.of(grey), List.of(mask.grey));
  }

  @Override
  public int hashCode() {
    return 31 * width() + height();
  }

  @Override
  public String toString() {
    return "mask of %d x %d".formatted(width(), height());
  }
}
