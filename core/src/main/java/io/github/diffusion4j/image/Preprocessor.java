package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;

/** What makes an ordinary picture into one that a control network reads. */
public enum Preprocessor implements UnaryOperator<BufferedImage> {
  /** Nothing: the picture is one already. */
  NONE {
    @Override
    public BufferedImage apply(BufferedImage image) {
      return Images.rgb(requireNonNull(image, "image"));
    }
  },

  /** Edges with the usual thresholds, as by {@link Canny#DEFAULT}. */
  CANNY {
    @Override
    public BufferedImage apply(BufferedImage image) {
      return Canny.DEFAULT.apply(image);
    }
  },

  /** Each level from the other end: for drawings with dark lines on white paper. */
  INVERT {
    @Override
    public BufferedImage apply(BufferedImage image) {
      return mapped(Raster8.rgb(requireNonNull(image, "image")), level -> 255 - level);
    }
  },

  /** White where the darkest colour of a pixel is below half: dark lines as white ones on black. */
  SCRIBBLE {
    @Override
    public BufferedImage apply(BufferedImage image) {
      return darkest(image, level -> level < HALF ? 255 : 0);
    }
  },

  /** White where the darkest colour of a pixel is above half, else black. */
  THRESHOLD {
    @Override
    public BufferedImage apply(BufferedImage image) {
      return darkest(image, level -> level > HALF ? 255 : 0);
    }
  },

  /** CIE lightness of each pixel, 0 to 255, as grey: for networks that colour pictures. */
  LUMINANCE {
    @Override
    public BufferedImage apply(BufferedImage image) {
      Raster8 from = Raster8.rgb(requireNonNull(image, "image"));
      Raster8 to = Raster8.black(from.width(), from.height());
      for (int at = 0; at < to.levels().length; at += 3) {
        double light =
            0.2126 * linear(from.levels()[at + 2])
                + 0.7152 * linear(from.levels()[at + 1])
                + 0.0722 * linear(from.levels()[at]);
        double cubic =
            light > 216.0 / 24389 ? 1.16 * Math.cbrt(light) - 0.16 : light * 24389 / 2700;
        Arrays.fill(to.levels(), at, at + 3, (byte) Math.rint(255 * cubic));
      }
      return to.image();
    }
  },

  /**
   * The picture with its shorter side at 1024 pixels and both at multiples of 64, resized by
   * Lanczos: what networks that add details tile by tile expect.
   */
  TILE {
    @Override
    public BufferedImage apply(BufferedImage image) {
      double scale =
          (double) TILE_SIDE
              / Math.min(requireNonNull(image, "image").getWidth(), image.getHeight());
      int width = (int) Math.rint(image.getWidth() * scale / TILE_MULTIPLE) * TILE_MULTIPLE;
      int height = (int) Math.rint(image.getHeight() * scale / TILE_MULTIPLE) * TILE_MULTIPLE;
      return Resampling.LANCZOS.resize(Images.rgb(image), width, height);
    }
  };

  private static final int HALF = 127;
  private static final int TILE_SIDE = 1024;
  private static final int TILE_MULTIPLE = 64;

  /**
   * Prepares a picture.
   *
   * @param image of any type; unchanged
   * @return 8 bit RGB
   */
  @Override
  public abstract BufferedImage apply(BufferedImage image);

  /**
   * The name on command lines.
   *
   * @return such as {@code canny}
   */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static BufferedImage mapped(Raster8 from, IntUnaryOperator change) {
    Raster8 to = Raster8.black(from.width(), from.height());
    for (int i = 0; i < to.levels().length; i++) {
      to.levels()[i] = (byte) change.applyAsInt(from.levels()[i] & 0xff);
    }
    return to.image();
  }

  private static BufferedImage darkest(BufferedImage image, IntUnaryOperator change) {
    Raster8 from = Raster8.rgb(requireNonNull(image, "image"));
    Raster8 to = Raster8.black(from.width(), from.height());
    for (int at = 0; at < to.levels().length; at += 3) {
      int blueGreen = Math.min(from.levels()[at] & 0xff, from.levels()[at + 1] & 0xff);
      int level = change.applyAsInt(Math.min(blueGreen, from.levels()[at + 2] & 0xff));
      Arrays.fill(to.levels(), at, at + 3, (byte) level);
    }
    return to.image();
  }

  /** Light of an sRGB level, 0 to 1. */
  private static double linear(byte level) {
    double value = (level & 0xff) / 255.0;
    return value <= 0.04045 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
  }
}
