package io.github.diffusion4j;

/** Pictures as numbers: [batch, 3, height, width] row-major, nominally −1 to 1, not clamped. */
public final class ImageTensor {

  private final float[] values;
  private final int batch;
  private final int height;
  private final int width;

  /**
   * Takes over the array.
   *
   * @param values batch · 3 · height · width values; not copied
   * @param batch number of pictures
   * @param height in pixels
   * @param width in pixels
   */
  public ImageTensor(float[] values, int batch, int height, int width) {
    if (values.length != 3L * batch * height * width) {
      throw new IllegalArgumentException(
          "%d pictures of %d x %d need %d values, got %d"
              .formatted(batch, width, height, 3L * batch * height * width, values.length));
    }
    this.values = values;
    this.batch = batch;
    this.height = height;
    this.width = width;
  }

  /**
   * All values.
   *
   * @return the array itself
   */
  public float[] values() {
    return values;
  }

  /**
   * Number of pictures.
   *
   * @return at least 1
   */
  public int batch() {
    return batch;
  }

  /**
   * Height in pixels.
   *
   * @return at least 1
   */
  public int height() {
    return height;
  }

  /**
   * Width in pixels.
   *
   * @return at least 1
   */
  public int width() {
    return width;
  }
}
