package io.github.diffusion4j.task;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * How far a picture is painted on beyond its edges. {@link #task} makes an inpainting of it: the
 * canvas grows, the outermost pixels are repeated as a first filling, and the mask covers what is
 * new and a seam within the picture.
 *
 * @param left new pixels at the left, at least 0
 * @param top new pixels at the top
 * @param right new pixels at the right
 * @param bottom new pixels at the bottom
 * @param seam pixels of the picture that are painted again at each side that grows, so that old and
 *     new meet
 */
public record Outpaint(int left, int top, int right, int bottom, int seam) {

  /** Checks that the canvas grows. */
  public Outpaint {
    if (left < 0 || top < 0 || right < 0 || bottom < 0 || seam < 0) {
      throw new IllegalArgumentException(
          "margins and seam must be at least 0, got left %d, top %d, right %d, bottom %d, seam %d"
              .formatted(left, top, right, bottom, seam));
    }
    if (left + top + right + bottom == 0) {
      throw new IllegalArgumentException("at least one margin must be above 0, got none");
    }
  }

  /**
   * The same margin on all sides.
   *
   * @param margin new pixels at each side
   * @param seam pixels painted again at each side
   * @return the value
   */
  public static Outpaint all(int margin, int seam) {
    return new Outpaint(margin, margin, margin, margin, seam);
  }

  /**
   * The inpainting that paints the margins.
   *
   * @param pictures of one size
   * @param options how; the crop is best left empty
   * @return the task
   */
  public Inpaint task(Pictures pictures, Inpaint.Options options) {
    int width = pictures.width();
    int height = pictures.height();
    if (seam * ((left > 0 ? 1L : 0) + (right > 0 ? 1 : 0)) >= width
        || seam * ((top > 0 ? 1L : 0) + (bottom > 0 ? 1 : 0)) >= height) {
      throw new IllegalArgumentException(
          "a seam of %d leaves nothing of a picture of %d x %d".formatted(seam, width, height));
    }
    List<BufferedImage> extended = new ArrayList<>();
    for (BufferedImage image : pictures.images()) {
      if (image.getWidth() != width || image.getHeight() != height) {
        throw new IllegalArgumentException(
            "pictures must be of one size, got %d x %d and %d x %d"
                .formatted(width, height, image.getWidth(), image.getHeight()));
      }
      extended.add(extended(image));
    }
    return new Inpaint(Pictures.of(extended), mask(width, height), options);
  }

  private BufferedImage extended(BufferedImage image) {
    BufferedImage canvas =
        new BufferedImage(
            Math.addExact(image.getWidth(), Math.addExact(left, right)),
            Math.addExact(image.getHeight(), Math.addExact(top, bottom)),
            BufferedImage.TYPE_3BYTE_BGR);
    for (int y = 0; y < canvas.getHeight(); y++) {
      int fromY = Math.max(0, Math.min(image.getHeight() - 1, y - top));
      for (int x = 0; x < canvas.getWidth(); x++) {
        int fromX = Math.max(0, Math.min(image.getWidth() - 1, x - left));
        canvas.setRGB(x, y, image.getRGB(fromX, fromY));
      }
    }
    return canvas;
  }

  private Mask mask(int width, int height) {
    int firstX = left > 0 ? left + seam : 0;
    int firstY = top > 0 ? top + seam : 0;
    int endX = left + width - (right > 0 ? seam : 0);
    int endY = top + height - (bottom > 0 ? seam : 0);
    int all = left + width + right;
    float[] values = new float[Math.multiplyExact(all, top + height + bottom)];
    for (int i = 0; i < values.length; i++) {
      int x = i % all;
      int y = i / all;
      values[i] = x >= firstX && x < endX && y >= firstY && y < endY ? 0f : 1f;
    }
    return Mask.of(values, all, top + height + bottom);
  }
}
