package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/** Pictures as numbers: [batch, 3, height, width] row-major, nominally −1 to 1, not clamped. */
public final class ImageTensor {

  private final float[] values;
  private final int batch;
  private final int height;
  private final int width;
  private final Decoding decoding;

  /**
   * Takes over the array.
   *
   * @param values batch · 3 · height · width values; not copied
   * @param batch number of pictures
   * @param height in pixels
   * @param width in pixels
   */
  public ImageTensor(float[] values, int batch, int height, int width) {
    this(values, batch, height, width, Decoding.WHOLE);
  }

  private ImageTensor(float[] values, int batch, int height, int width, Decoding decoding) {
    if (values.length != 3L * batch * height * width) {
      throw new IllegalArgumentException(
          "%d pictures of %d x %d need %d values, got %d"
              .formatted(batch, width, height, 3L * batch * height * width, values.length));
    }
    this.values = values;
    this.batch = batch;
    this.height = height;
    this.width = width;
    this.decoding = requireNonNull(decoding, "decoding");
  }

  /**
   * The same pictures with a note of how they were decoded.
   *
   * @param how what a codec has to tell
   * @return shares the array
   */
  public ImageTensor with(Decoding how) {
    return new ImageTensor(values, batch, height, width, how);
  }

  /**
   * How the pictures were decoded.
   *
   * @return {@link Decoding#WHOLE} where nothing was told
   */
  public Decoding decoding() {
    return decoding;
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
