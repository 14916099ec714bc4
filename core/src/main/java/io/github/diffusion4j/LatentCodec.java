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
   * Whether pictures can be encoded: whether the model came with the encoder.
   *
   * @return true if {@link #encode} works
   */
  default boolean encodes() {
    return false;
  }

  /**
   * Encodes pictures.
   *
   * @param images their size a multiple of {@link #factor}
   * @param cancel stops a running network
   * @return the latents' distribution, not scaled; {@link #scale} follows on what is taken from it
   * @throws IllegalArgumentException if this model has no encoder
   */
  default LatentDistribution encode(ImageTensor images, CancelToken cancel) {
    throw new IllegalArgumentException("this autoencoder does not encode pictures");
  }

  /**
   * Brings encoded latents to the range that the denoiser works in; {@link #decode} takes it back.
   *
   * @param latents from {@link #encode}, NCHW; overwritten
   * @param shape their shape
   */
  default void scale(float[] latents, LatentShape shape) {}

  /**
   * This codec where decoding may take so much memory.
   *
   * @param bytes outside the Java heap, at least 1
   * @return a codec that works on tiles where pictures would take more, closed with this one; this
   *     one if it has no such choice
   */
  default LatentCodec withMemoryLimit(long bytes) {
    return this;
  }

  /**
   * Memory that decoding one picture needs at the very least, to refuse hopeless sizes.
   *
   * @param width of the picture in pixels
   * @param height of the picture in pixels
   * @return bytes outside the Java heap
   */
  long decodeBytes(int width, int height);
}
