package io.github.diffusion4j;

/**
 * Follows a generation. Called on the generating thread; what it throws aborts the generation and
 * reaches the caller unchanged.
 */
@FunctionalInterface
public interface StepListener {

  /** Listens to nothing. */
  StepListener NONE = event -> {};

  /**
   * Called once before the first step, with the initial latents.
   *
   * @param event evaluation 0
   */
  default void onStart(StepEvent event) {}

  /**
   * Called after each evaluation of the denoiser.
   *
   * @param event where the generation is
   */
  void onStep(StepEvent event);

  /**
   * Called once after the autoencoder has decoded the final latents.
   *
   * @param image the pictures as numbers
   */
  default void onDecoded(ImageTensor image) {}
}
