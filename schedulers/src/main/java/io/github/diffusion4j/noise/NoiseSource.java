package io.github.diffusion4j.noise;

/**
 * A stream of standard normal numbers. Stateful and not thread-safe: one source serves one
 * generation.
 */
@FunctionalInterface
public interface NoiseSource {

  /**
   * Draws a whole tensor. One call is one draw of the reference ({@code torch.randn(shape)}): the
   * stream depends on how many values are drawn at once.
   *
   * @param dst overwritten with standard normal values
   */
  void fill(float[] dst);
}
