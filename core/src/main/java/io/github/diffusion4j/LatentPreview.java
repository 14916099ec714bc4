package io.github.diffusion4j;

/** Makes small or rough pictures of latents while a generation runs. Thread-safe. */
@FunctionalInterface
public interface LatentPreview {

  /**
   * Makes pictures.
   *
   * @param latents as the denoiser's loop has them, NCHW; not changed
   * @param shape their shape
   * @return one for each image, of any size
   */
  ImageTensor preview(float[] latents, LatentShape shape);
}
