package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Between pictures and the tensors that autoencoders take and give, with the reference's rounding
 * (diffusers' {@code VaeImageProcessor}). Pictures made here are {@link
 * BufferedImage#TYPE_3BYTE_BGR}; those taken may be of any type.
 */
public final class Images {

  private static final float[] NORMALISED = new float[256];
  private static final float[] LEVELS = new float[256];

  static {
    for (int level = 0; level < 256; level++) {
      LEVELS[level] = level / 255f;
      NORMALISED[level] = 2f * LEVELS[level] - 1f;
    }
  }

  private Images() {}

  /**
   * Decoded tensors as pictures: {@code round(clamp(x / 2 + 0.5, 0, 1) * 255)} in float32, halves
   * to the even level, NaN black.
   *
   * @param values [B, 3, H, W] row-major, nominally in [-1, 1]
   * @param width W, at least 1
   * @param height H, at least 1
   * @return B pictures
   */
  public static List<BufferedImage> fromTensor(float[] values, int width, int height) {
    requireSize(width, height);
    long each = 3L * width * height;
    if (values.length == 0 || values.length % each != 0) {
      throw new IllegalArgumentException(
          ("values must be [B, 3, " + height + ", " + width + "], a multiple of " + each)
              + (", got length " + values.length));
    }
    List<BufferedImage> images = new ArrayList<>();
    for (int at = 0; at < values.length; at += (int) each) {
      images.add(fromTensor(values, at, width, height));
    }
    return images;
  }

  /**
   * Pictures as the tensor that an image encoder takes: {@code 2 * (level / 255) - 1} in float32.
   * Anything but RGB is converted as {@link #rgb} does.
   *
   * @param images B pictures of one size
   * @return [B, 3, H, W] row-major, in [-1, 1]
   */
  public static float[] toTensor(List<BufferedImage> images) {
    return toTensor(images, NORMALISED);
  }

  /**
   * Pictures as the tensor that a control network takes: {@code level / 255} in float32.
   *
   * @param images B pictures of one size
   * @return [B, 3, H, W] row-major, in [0, 1]
   */
  public static float[] toLevels(List<BufferedImage> images) {
    return toTensor(images, LEVELS);
  }

  private static float[] toTensor(List<BufferedImage> images, float[] ofLevel) {
    Raster8 first = Raster8.rgb(requireFirst(images));
    int plane = first.width() * first.height();
    float[] values = new float[Math.multiplyExact(images.size(), Math.multiplyExact(3, plane))];
    int at = 0;
    for (BufferedImage image : images) {
      requireSameSize(image, first.width(), first.height());
      byte[] levels = Raster8.rgb(image).levels();
      for (int pixel = 0; pixel < plane; pixel++) {
        // The raster's order is blue, green, red.
        values[at + pixel] = ofLevel[levels[3 * pixel + 2] & 0xff];
        values[at + plane + pixel] = ofLevel[levels[3 * pixel + 1] & 0xff];
        values[at + 2 * plane + pixel] = ofLevel[levels[3 * pixel] & 0xff];
      }
      at += 3 * plane;
    }
    return values;
  }

  /**
   * A picture as 8 bit RGB in the way of Pillow's {@code convert("RGB")}: alpha is dropped and not
   * blended, palettes are looked up, grey is repeated, 16 bit colours keep their high byte, 16 bit
   * grey levels over 255 become 255; colour profiles are ignored.
   *
   * @param image any picture; unchanged
   * @return a new picture, or the same one if it is of that kind already
   */
  public static BufferedImage rgb(BufferedImage image) {
    return Raster8.isRgb(image) ? image : Raster8.rgb(image).image();
  }

  /**
   * Several pictures on one sheet, row by row on black.
   *
   * @param images at least one, all of one size
   * @param columns pictures in a row, at least 1; fewer pictures make a narrower sheet
   * @param padding pixels around and between the pictures, at least 0
   * @return the sheet
   */
  public static BufferedImage grid(List<BufferedImage> images, int columns, int padding) {
    BufferedImage first = requireFirst(images);
    if (columns < 1 || padding < 0) {
      throw new IllegalArgumentException(
          "columns must be at least 1 and padding at least 0, got " + columns + " and " + padding);
    }
    int across = Math.min(columns, images.size());
    int down = (images.size() + across - 1) / across;
    int stepX = Math.addExact(first.getWidth(), padding);
    int stepY = Math.addExact(first.getHeight(), padding);
    Raster8 sheet =
        Raster8.black(
            Math.addExact(padding, Math.multiplyExact(across, stepX)),
            Math.addExact(padding, Math.multiplyExact(down, stepY)));
    for (int i = 0; i < images.size(); i++) {
      requireSameSize(images.get(i), first.getWidth(), first.getHeight());
      sheet.paste(
          Raster8.rgb(images.get(i)), padding + i % across * stepX, padding + i / across * stepY);
    }
    return sheet.image();
  }

  private static BufferedImage fromTensor(float[] values, int offset, int width, int height) {
    int plane = width * height;
    byte[] levels = new byte[3 * plane];
    for (int pixel = 0; pixel < plane; pixel++) {
      int at = offset + pixel;
      levels[3 * pixel + 2] = level(values[at]);
      levels[3 * pixel + 1] = level(values[at + plane]);
      levels[3 * pixel] = level(values[at + 2 * plane]);
    }
    return new Raster8(width, height, 3, levels).image();
  }

  private static byte level(float value) {
    float unit = Math.max(0f, Math.min(1f, value / 2f + 0.5f));
    return (byte) Math.rint(unit * 255f);
  }

  static void requireSize(int width, int height) {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "width and height must be at least 1, got " + width + "x" + height);
    }
  }

  private static BufferedImage requireFirst(List<BufferedImage> images) {
    if (requireNonNull(images, "images").isEmpty()) {
      throw new IllegalArgumentException("images must hold at least one picture");
    }
    return images.get(0);
  }

  private static void requireSameSize(BufferedImage image, int width, int height) {
    if (image.getWidth() != width || image.getHeight() != height) {
      throw new IllegalArgumentException(
          ("images must all be " + width + "x" + height)
              + (", got " + image.getWidth() + "x" + image.getHeight()));
    }
  }
}
