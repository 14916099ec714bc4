package io.github.diffusion4j.scheduler;

/**
 * How a sample's values are divided among the images painted together: {@code batch} images of
 * {@code elements} values each, one image after the other.
 *
 * @param batch number of images, at least 1
 * @param elements values of one image (channels · height · width), at least 1
 */
public record SampleShape(int batch, int elements) {

  public SampleShape {
    if (batch < 1) {
      throw new IllegalArgumentException("batch must be at least 1, got " + batch);
    }
    if (elements < 1) {
      throw new IllegalArgumentException("elements must be at least 1, got " + elements);
    }
    if ((long) batch * elements > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a sample of " + batch + " x " + elements + " values is larger than an array can be");
    }
  }

  /**
   * The number of values of the whole sample.
   *
   * @return batch · elements
   */
  public int total() {
    return batch * elements;
  }
}
