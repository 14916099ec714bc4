package io.github.diffusion4j.task;

import java.awt.image.BufferedImage;

/** Puts the known part of a picture over a painting, rounded as Pillow rounds it. */
final class Overlay {

  private Overlay() {}

  /**
   * Shows the painting where the mask is white and the original where it is black.
   *
   * @param painting 8 bit RGB
   * @param original of the same size
   * @param mask 8 bit grey of the same size
   */
  static BufferedImage apply(BufferedImage painting, BufferedImage original, BufferedImage mask) {
    BufferedImage result = Canvas.copy(painting);
    byte[] under = Canvas.levels(result);
    byte[] over = Canvas.levels(Canvas.copy(original));
    byte[] painted = Canvas.levels(Canvas.copyGrey(mask));
    for (int pixel = 0; pixel < painted.length; pixel++) {
      int alpha = 255 - (painted[pixel] & 0xff);
      if (alpha == 0) {
        continue;
      }
      for (int i = 3 * pixel; i < 3 * pixel + 3; i++) {
        under[i] = (byte) composite(premultiplied(over[i] & 0xff, alpha), under[i] & 0xff, alpha);
      }
    }
    return result;
  }

  /** A level times alpha, and divided by it again: eight bits between. */
  private static int premultiplied(int level, int alpha) {
    int product = level * alpha + 128;
    int multiplied = (product >> 8) + product >> 8;
    return alpha == 255 ? multiplied : Math.min(255, 255 * multiplied / alpha);
  }

  /** One over the other, the lower one opaque, with seven bits beyond eight. */
  private static int composite(int over, int under, int alpha) {
    int first = alpha << 7;
    int second = (255 << 7) - first;
    int sum = over * first + under * second + (128 << 7);
    return (sum >> 8) + sum >> 8 >> 7;
  }
}
