package io.github.diffusion4j.task;

import io.github.diffusion4j.image.Resampling;
import java.awt.image.BufferedImage;

/**
 * A rectangle of a picture, chosen and cut as diffusers' {@code VaeImageProcessor} does it.
 *
 * @param left first column
 * @param top first row
 * @param right column after the last
 * @param bottom row after the last
 */
record Region(int left, int top, int right, int bottom) {

  /** The smallest region that holds all of a mask that is not black, and so much around it. */
  static Region around(BufferedImage mask, int padding) {
    int width = mask.getWidth();
    int height = mask.getHeight();
    byte[] levels = Canvas.levels(mask);
    int left = width;
    int top = height;
    int right = 0;
    int bottom = 0;
    for (int i = 0; i < levels.length; i++) {
      if (levels[i] != 0) {
        left = Math.min(left, i % width);
        right = Math.max(right, i % width + 1);
        top = Math.min(top, i / width);
        bottom = Math.max(bottom, i / width + 1);
      }
    }
    if (right == 0) {
      throw new IllegalArgumentException(
          "the mask is all black, so there is nothing to paint; white marks what is painted");
    }
    return new Region(
        (int) Math.max(0L, (long) left - padding),
        (int) Math.max(0L, (long) top - padding),
        (int) Math.min(width, (long) right + padding),
        (int) Math.min(height, (long) bottom + padding));
  }

  int width() {
    return right - left;
  }

  int height() {
    return bottom - top;
  }

  /** Grows within a picture to the proportions of a painting, as far as the picture reaches. */
  Region inProportion(int width, int height, int pictureWidth, int pictureHeight) {
    double wanted = (double) width / height;
    if ((double) width() / height() > wanted) {
      int[] rows = grown(top, bottom, (int) (width() / wanted - height()), pictureHeight);
      return new Region(left, rows[0], right, rows[1]);
    }
    int[] columns = grown(left, right, (int) (height() * wanted - width()), pictureWidth);
    return new Region(columns[0], top, columns[1], bottom);
  }

  private static int[] grown(int from, int to, int more, int limit) {
    int first = from - more / 2;
    int last = to + more - more / 2;
    if (last >= limit) {
      first -= last - limit;
      last = limit;
    }
    if (first < 0) {
      last -= first;
      first = 0;
    }
    return new int[] {first, Math.min(last, limit)};
  }

  /**
   * The region at a painting's size, its proportions kept: what is left at two sides repeats the
   * outermost pixels.
   */
  BufferedImage fitted(BufferedImage picture, int width, int height) {
    BufferedImage part = Canvas.part(picture, left, top, width(), height());
    double ratio = (double) width / height;
    double own = (double) width() / height();
    int fitWidth = ratio < own ? width : (int) ((long) width() * height / height());
    int fitHeight = ratio >= own ? height : (int) ((long) height() * width / width());
    BufferedImage resized = Resampling.LANCZOS.resize(part, fitWidth, fitHeight);
    BufferedImage fitted = new BufferedImage(width, height, resized.getType());
    int x = width / 2 - fitWidth / 2;
    int y = height / 2 - fitHeight / 2;
    Canvas.paste(resized, fitted, x, y);
    if (ratio < own) {
      BufferedImage first = edge(resized, 0, 1, true);
      BufferedImage last = edge(resized, fitHeight - 1, fitHeight - 2, true);
      for (int i = 0; i < y; i++) {
        Canvas.paste(first, fitted, 0, i);
        Canvas.paste(last, fitted, 0, y + fitHeight + i);
      }
    } else if (ratio > own) {
      BufferedImage first = edge(resized, 0, 1, false);
      BufferedImage last = edge(resized, fitWidth - 1, fitWidth - 2, false);
      for (int i = 0; i < x; i++) {
        Canvas.paste(first, fitted, i, 0);
        Canvas.paste(last, fitted, x + fitWidth + i, 0);
      }
    }
    return fitted;
  }

  /** What Pillow's bicubic filter makes of a line without height at a picture's edge. */
  private static BufferedImage edge(BufferedImage image, int outer, int inner, boolean row) {
    int width = image.getWidth();
    int height = image.getHeight();
    BufferedImage line =
        row ? Canvas.part(image, 0, outer, width, 1) : Canvas.part(image, outer, 0, 1, height);
    if ((row ? height : width) < 2) {
      return line;
    }
    BufferedImage next =
        row ? Canvas.part(image, 0, inner, width, 1) : Canvas.part(image, inner, 0, 1, height);
    byte[] levels = Canvas.levels(line);
    byte[] others = Canvas.levels(next);
    for (int i = 0; i < levels.length; i++) {
      int eighths = 9 * (levels[i] & 0xff) - (others[i] & 0xff);
      levels[i] = (byte) Math.max(0, Math.min(255, eighths + 4 >> 3));
    }
    return line;
  }

  /** A painting of this region at its place, on black; resized and cut to the region's shape. */
  BufferedImage placed(BufferedImage painting, BufferedImage picture) {
    int width = painting.getWidth();
    int height = painting.getHeight();
    double ratio = (double) width() / height();
    double own = (double) width / height;
    int coverWidth = ratio > own ? width() : (int) ((long) width * height() / height);
    int coverHeight = ratio <= own ? height() : (int) ((long) height * width() / width);
    BufferedImage resized = Resampling.LANCZOS.resize(painting, coverWidth, coverHeight);
    BufferedImage cut = new BufferedImage(width(), height(), resized.getType());
    Canvas.paste(resized, cut, width() / 2 - coverWidth / 2, height() / 2 - coverHeight / 2);
    BufferedImage placed =
        new BufferedImage(picture.getWidth(), picture.getHeight(), resized.getType());
    Canvas.paste(cut, placed, left, top);
    return placed;
  }
}
