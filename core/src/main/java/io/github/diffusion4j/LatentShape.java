package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.SampleShape;

/**
 * Shape of a batch of latents: NCHW, row-major.
 *
 * @param batch number of images, at least 1
 * @param channels latent channels, at least 1
 * @param height in latent cells, at least 1
 * @param width in latent cells, at least 1
 */
public record LatentShape(int batch, int channels, int height, int width) {

  /** Checks that each number is positive and the whole fits an array. */
  public LatentShape {
    if (batch < 1 || channels < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "latent dimensions must be positive, got %d x %d x %d x %d"
              .formatted(batch, channels, height, width));
    }
    if (Math.multiplyFull(batch, channels) * height > Integer.MAX_VALUE / width) {
      throw new IllegalArgumentException(
          "latents of %d x %d x %d x %d are more than an array can hold"
              .formatted(batch, channels, height, width));
    }
  }

  /**
   * Values of one image.
   *
   * @return channels · height · width
   */
  public int elements() {
    return channels * height * width;
  }

  /**
   * Values of the batch.
   *
   * @return batch · channels · height · width
   */
  public int total() {
    return batch * elements();
  }

  /**
   * The shape as a scheduler sees it.
   *
   * @return batch and elements
   */
  public SampleShape sample() {
    return new SampleShape(batch, elements());
  }
}
