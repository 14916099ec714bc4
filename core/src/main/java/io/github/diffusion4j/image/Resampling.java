package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;

/**
 * Resizing filters that give the levels that Pillow gives: separable, widened when shrinking, 8 bit
 * between the two passes.
 */
public enum Resampling {
  /** The pixel under the centre. */
  NEAREST(0) {
    @Override
    double weight(double x) {
      throw new UnsupportedOperationException("the nearest pixel has no weights");
    }
  },

  /** Triangle over two pixels. */
  BILINEAR(1) {
    @Override
    double weight(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },

  /** Cubic convolution over four pixels, a = -0.5 (Keys 1981). */
  BICUBIC(2) {
    @Override
    double weight(double x) {
      double a = -0.5;
      double t = Math.abs(x);
      if (t < 1) {
        return ((a + 2) * t - (a + 3)) * t * t + 1;
      }
      return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
    }
  },

  /** Sinc windowed by a sinc over six pixels; diffusers' default for pictures and masks. */
  LANCZOS(3) {
    @Override
    double weight(double x) {
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
  };

  private final double support;

  Resampling(double support) {
    this.support = support;
  }

  /**
   * A picture in another size, stretched where proportions differ.
   *
   * @param image unchanged; 8 bit grey stays grey, all else becomes RGB as by {@link Images#rgb}
   * @param width pixels, at least 1
   * @param height pixels, at least 1
   * @return a new picture, or the same levels if the size is the same
   */
  public BufferedImage resize(BufferedImage image, int width, int height) {
    Images.requireSize(width, height);
    return resize(Raster8.greyOrRgb(requireNonNull(image, "image")), width, height).image();
  }

  Raster8 resize(Raster8 from, int width, int height) {
    if (from.width() == width && from.height() == height) {
      return from;
    }
    return new Resampler(this).resize(from, width, height);
  }

  /** Half the filter's width in pixels, before it is widened. */
  double support() {
    return support;
  }

  /** The filter at a distance in pixels, not normalised. */
  abstract double weight(double x);

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
  }
}
