package io.github.diffusion4j;

/** Which of a model's networks are in memory. */
public enum Residency {
  /**
   * All that every picture needs, from load to close: the fastest. What only some tasks need (the
   * autoencoder's encoder, the safety checker) is opened when it is first needed and then stays.
   */
  ALL,
  /**
   * Only what works right now: text encoders, then the denoiser, then the autoencoder; each is
   * opened before its part of a generation and closed after it. The least memory; every picture
   * pays for the opening. Networks that a concurrent generation uses stay open, and are shared.
   */
  ON_DEMAND,
  /**
   * {@link #ALL} where the model fits into {@link RuntimeOptions#memoryLimit}, else {@link
   * #ON_DEMAND}; without a limit, ALL.
   */
  AUTO
}
