package io.github.diffusion4j;

/** A denoiser bound to one generation. Not thread-safe. */
public interface Denoiser extends AutoCloseable {

  /**
   * Runs the network once for every guidance branch.
   *
   * @param latents one branch's input, NCHW; the same for every branch
   * @param timestep in the model's units
   * @param dst overwritten with the outputs of all branches, one after the other
   */
  void predict(float[] latents, double timestep, float[] dst);

  /**
   * Runs the network for images that are at different timesteps.
   *
   * @param latents one branch's input, NCHW; the same for every branch
   * @param timesteps for each image, in the model's units
   * @param dst overwritten with the outputs of all branches, one after the other
   * @throws UnsupportedOperationException if the network takes one timestep for all rows; see
   *     {@link DenoiserModel#sharing}
   */
  default void predict(float[] latents, double[] timesteps, float[] dst) {
    throw new UnsupportedOperationException("this denoiser takes one timestep for all images");
  }

  @Override
  void close();
}
