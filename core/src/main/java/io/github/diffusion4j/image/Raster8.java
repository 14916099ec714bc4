package io.github.diffusion4j.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;

/**
 * The bytes of a picture: one (grey) or three (blue, green, red) levels a pixel, rows from the top
 * without gaps. May share its array with a {@link BufferedImage}.
 *
 * @param width pixels, at least 1
 * @param height pixels, at least 1
 * @param channels 1 or 3
 * @param levels {@code width · height · channels} bytes, unsigned
 */
record Raster8(int width, int height, int channels, byte[] levels) {

  /** Rec. 601 luma weights in 16 bit fixed point, as Pillow has them. */
  private static final int RED = 19595;

  private static final int GREEN = 38470;
  private static final int BLUE = 7471;

  Raster8 {
    Images.requireSize(width, height);
    if (levels.length != Math.multiplyExact(channels, Math.multiplyExact(width, height))) {
      throw new IllegalArgumentException("levels must fill the raster, got " + levels.length);
    }
  }

  static Raster8 black(int width, int height) {
    return of(new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR), 3);
  }

  /** The levels of a picture after {@link Images#rgb}; shared with the picture where possible. */
  static Raster8 rgb(BufferedImage image) {
    if (isRgb(image)) {
      return of(image, 3);
    }
    Raster8 to = black(image.getWidth(), image.getHeight());
    ColorModel model = image.getColorModel();
    int space = model.getColorSpace().getType();
    boolean plain =
        model.getClass() == ComponentColorModel.class
            && model.getTransferType() <= DataBuffer.TYPE_USHORT
            && !(model.hasAlpha() && model.isAlphaPremultiplied());
    if (model instanceof IndexColorModel palette) {
      lookUp(image.getRaster(), palette, to);
    } else if (plain && (space == ColorSpace.TYPE_RGB || space == ColorSpace.TYPE_GRAY)) {
      samples(image.getRaster(), model, to);
    } else if (plain && space == ColorSpace.TYPE_CMYK && !model.hasAlpha()) {
      inks(image.getRaster(), to);
    } else {
      colours(image, to);
    }
    return to;
  }

  /**
   * The luma of a picture: Pillow's {@code convert("L")}; shared where it is 8 bit grey already.
   */
  static Raster8 grey(BufferedImage image) {
    if (isPlain(image, BufferedImage.TYPE_BYTE_GRAY, 1)) {
      return of(image, 1);
    }
    Raster8 from = rgb(image);
    byte[] luma = new byte[from.width * from.height];
    byte[] bgr = from.levels;
    for (int pixel = 0; pixel < luma.length; pixel++) {
      int weighted =
          (bgr[3 * pixel + 2] & 0xff) * RED
              + (bgr[3 * pixel + 1] & 0xff) * GREEN
              + (bgr[3 * pixel] & 0xff) * BLUE;
      luma[pixel] = (byte) ((weighted + 0x8000) >> 16);
    }
    return new Raster8(from.width, from.height, 1, luma);
  }

  /** Grey if the picture is 8 bit grey, else {@link #rgb}. */
  static Raster8 greyOrRgb(BufferedImage image) {
    return image.getType() == BufferedImage.TYPE_BYTE_GRAY ? grey(image) : rgb(image);
  }

  static boolean isRgb(BufferedImage image) {
    return isPlain(image, BufferedImage.TYPE_3BYTE_BGR, 3);
  }

  /** A picture over these levels, not copied. */
  BufferedImage image() {
    int type = channels == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR;
    ColorModel model = new BufferedImage(1, 1, type).getColorModel();
    int[] offsets = channels == 1 ? new int[] {0} : new int[] {2, 1, 0};
    return new BufferedImage(
        model,
        Raster.createInterleavedRaster(
            new DataBufferByte(levels, levels.length),
            width,
            height,
            width * channels,
            channels,
            offsets,
            null),
        false,
        null);
  }

  /** Copies another raster of as many channels into this one. */
  void paste(Raster8 from, int x, int y) {
    int row = from.width * channels;
    for (int line = 0; line < from.height; line++) {
      System.arraycopy(from.levels, line * row, levels, ((y + line) * width + x) * channels, row);
    }
  }

  private static Raster8 of(BufferedImage image, int channels) {
    byte[] levels = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
    return new Raster8(image.getWidth(), image.getHeight(), channels, levels);
  }

  /** Whether a picture's array holds its pixels and nothing else: not a part of a larger one. */
  private static boolean isPlain(BufferedImage image, int type, int channels) {
    return image.getType() == type
        && image.getRaster().getDataBuffer() instanceof DataBufferByte data
        && data.getNumBanks() == 1
        && data.getOffset() == 0
        && data.getSize() == image.getWidth() * image.getHeight() * channels
        && image.getSampleModel() instanceof PixelInterleavedSampleModel model
        && model.getScanlineStride() == image.getWidth() * channels;
  }

  private static void lookUp(Raster from, IndexColorModel palette, Raster8 to) {
    int[] indices = new int[to.width];
    for (int y = 0, at = 0; y < to.height; y++) {
      from.getSamples(from.getMinX(), from.getMinY() + y, to.width, 1, 0, indices);
      for (int x = 0; x < to.width; x++, at += 3) {
        int index = Math.min(indices[x], palette.getMapSize() - 1);
        to.set(at, palette.getRed(index), palette.getGreen(index), palette.getBlue(index));
      }
    }
  }

  private static void samples(Raster from, ColorModel model, Raster8 to) {
    boolean deep = model.getTransferType() == DataBuffer.TYPE_USHORT;
    int colours = model.getNumColorComponents();
    boolean clip = deep && colours == 1 && !model.hasAlpha();
    int bands = from.getNumBands();
    int[] row = new int[to.width * bands];
    for (int y = 0, at = 0; y < to.height; y++) {
      from.getPixels(from.getMinX(), from.getMinY() + y, to.width, 1, row);
      for (int x = 0; x < row.length; x += bands, at += 3) {
        int red = level(row[x], deep, clip);
        int green = colours == 1 ? red : level(row[x + 1], deep, clip);
        int blue = colours == 1 ? red : level(row[x + 2], deep, clip);
        to.set(at, red, green, blue);
      }
    }
  }

  private static int level(int sample, boolean deep, boolean clip) {
    if (clip) {
      return Math.min(sample, 255);
    }
    return deep ? sample >> 8 : sample;
  }

  /** Four inks: each takes its part of the light that black leaves, rounded as Pillow does. */
  private static void inks(Raster from, Raster8 to) {
    int[] row = new int[4 * to.width];
    for (int y = 0, at = 0; y < to.height; y++) {
      from.getPixels(from.getMinX(), from.getMinY() + y, to.width, 1, row);
      for (int x = 0; x < row.length; x += 4, at += 3) {
        int light = 255 - row[x + 3];
        to.set(at, light(row[x], light), light(row[x + 1], light), light(row[x + 2], light));
      }
    }
  }

  private static int light(int ink, int light) {
    int product = ink * light + 128;
    return Math.max(0, light - ((product >> 8) + product >> 8));
  }

  /** Packed, premultiplied and unusual pictures: as the colour model sees them. */
  private static void colours(BufferedImage image, Raster8 to) {
    int[] row = new int[to.width];
    for (int y = 0, at = 0; y < to.height; y++) {
      image.getRGB(0, y, to.width, 1, row, 0, to.width);
      for (int x = 0; x < to.width; x++, at += 3) {
        to.set(at, row[x] >> 16 & 0xff, row[x] >> 8 & 0xff, row[x] & 0xff);
      }
    }
  }

  private void set(int at, int red, int green, int blue) {
    levels[at] = (byte) blue;
    levels[at + 1] = (byte) green;
    levels[at + 2] = (byte) red;
  }
}
