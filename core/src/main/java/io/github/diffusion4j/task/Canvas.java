package io.github.diffusion4j.task;

import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.Masks;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.util.Arrays;
import java.util.List;

/** Pixels of 8 bit pictures: copies, parts and comparisons. */
final class Canvas {

  private Canvas() {}

  /** A copy as 8 bit RGB. */
  static BufferedImage copy(BufferedImage image) {
    BufferedImage rgb = Images.rgb(image);
    return rgb == image ? part(rgb, 0, 0, rgb.getWidth(), rgb.getHeight()) : rgb;
  }

  /** A copy as 8 bit grey. */
  static BufferedImage copyGrey(BufferedImage image) {
    BufferedImage grey = Masks.grey(image);
    return part(grey, 0, 0, grey.getWidth(), grey.getHeight());
  }

  /** A part, black where it lies outside. */
  static BufferedImage part(BufferedImage image, int x, int y, int width, int height) {
    BufferedImage part = new BufferedImage(width, height, image.getType());
    paste(image, part, -x, -y);
    return part;
  }

  /** Copies a picture into another of the same kind, cut to what lies within. */
  static void paste(BufferedImage from, BufferedImage to, int x, int y) {
    int left = Math.max(0, x);
    int top = Math.max(0, y);
    int width = Math.min(to.getWidth(), x + from.getWidth()) - left;
    int height = Math.min(to.getHeight(), y + from.getHeight()) - top;
    if (width > 0 && height > 0) {
      Object pixels = from.getRaster().getDataElements(left - x, top - y, width, height, null);
      to.getRaster().setDataElements(left, top, width, height, pixels);
    }
  }

  static BufferedImage inverted(BufferedImage grey) {
    BufferedImage inverted = copyGrey(grey);
    byte[] levels = levels(inverted);
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (byte) ~levels[i];
    }
    return inverted;
  }

  /** The levels of a picture made here: grey, or blue, green and red. */
  static byte[] levels(BufferedImage image) {
    return ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
  }

  static boolean same(List<BufferedImage> some, List<BufferedImage> others) {
    for (int i = 0; i < some.size(); i++) {
      BufferedImage one = some.get(i);
      BufferedImage other = others.get(i);
      if (one.getWidth() != other.getWidth()
          || one.getHeight() != other.getHeight()
          || !Arrays.equals(levels(one), levels(other))) {
        return false;
      }
    }
    return true;
  }
}
