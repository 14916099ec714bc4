package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;

/**
 * Inpainting masks as diffusers prepares them: white is painted, black is kept. Masks made here are
 * {@link BufferedImage#TYPE_BYTE_GRAY}; those taken may be of any type.
 */
public final class Masks {

  private Masks() {}

  /**
   * A picture as 8 bit grey in the way of Pillow's {@code convert("L")}: Rec. 601 luma of {@link
   * Images#rgb} in 16 bit fixed point, rounded to nearest.
   *
   * @param image any picture; unchanged
   * @return its luma
   */
  public static BufferedImage grey(BufferedImage image) {
    return Raster8.grey(requireNonNull(image, "image")).image();
  }

  /**
   * A mask as the tensor that an inpainting pipeline takes: resized (Lanczos), grey, then 1 where
   * the level is at least half of 255, else 0.
   *
   * @param mask any picture
   * @param width W of the tensor, at least 1
   * @param height H of the tensor, at least 1
   * @return [1, 1, H, W] row-major, 0 or 1
   */
  public static float[] toTensor(BufferedImage mask, int width, int height) {
    byte[] levels = Raster8.grey(Resampling.LANCZOS.resize(mask, width, height)).levels();
    float[] values = new float[levels.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (levels[i] & 0xff) >= 128 ? 1f : 0f;
    }
    return values;
  }

  /**
   * A mask with soft edges: Pillow's {@code GaussianBlur}.
   *
   * @param image 8 bit grey stays grey, all else becomes RGB
   * @param deviation standard deviation in pixels, 0 (unchanged) to 1000
   * @return a new picture
   */
  public static BufferedImage blur(BufferedImage image, double deviation) {
    if (!(deviation >= 0 && deviation <= 1000)) {
      throw new IllegalArgumentException("deviation must be in [0, 1000], got " + deviation);
    }
    return BoxBlur.gaussian(Raster8.greyOrRgb(image), (float) deviation).image();
  }

  /**
   * A mask grown on all sides: each level becomes the highest in the square around it.
   *
   * @param mask any picture, taken as grey
   * @param pixels how far it grows, at least 0
   * @return a new picture
   */
  public static BufferedImage dilate(BufferedImage mask, int pixels) {
    if (pixels < 0) {
      throw new IllegalArgumentException("pixels must be at least 0, got " + pixels);
    }
    Raster8 from = Raster8.grey(requireNonNull(mask, "mask"));
    byte[] levels = from.levels().clone();
    for (int y = 0; y < from.height(); y++) {
      highest(levels, y * from.width(), 1, from.width(), pixels);
    }
    for (int x = 0; x < from.width(); x++) {
      highest(levels, x, from.width(), from.height(), pixels);
    }
    return new Raster8(from.width(), from.height(), 1, levels).image();
  }

  private static void highest(byte[] levels, int start, int step, int count, int pixels) {
    int[] line = new int[count];
    for (int i = 0; i < count; i++) {
      line[i] = levels[start + i * step] & 0xff;
    }
    for (int i = 0; i < count; i++) {
      int best = 0;
      int end = (int) Math.min(count - 1L, (long) i + pixels);
      for (int k = Math.max(0, i - pixels); k <= end; k++) {
        best = Math.max(best, line[k]);
      }
      levels[start + i * step] = (byte) best;
    }
  }
}
