package io.github.diffusion4j;

/** The autoencoder: pictures to latents and back, scaling and shift included. Thread-safe. */
public interface LatentCodec {

  /**
   * Pixels per latent cell along each axis.
   *
   * @return such as 8
   */
  int factor();

  /**
   * Channels of the latents.
   *
   * @return such as 4
   */
  int latentChannels();

  /**
   * Decodes latents as the denoiser's loop leaves them.
   *
   * @param latents NCHW; not changed
   * @param shape their shape
   * @param cancel stops a running network
   * @return pictures
   */
  ImageTensor decode(float[] latents, LatentShape shape, CancelToken cancel);

  /**
   * Memory that decoding needs for each pixel at the very least, to refuse hopeless sizes.
   *
   * @return bytes outside the Java heap
   */
  long decodeBytesPerPixel();
}
