package io.github.diffusion4j;

/** What a weight in a prompt does to the embedding of its words. A weight of 1 does nothing. */
public enum PromptWeighting {
  /**
   * The web UI's rule: each token's embedding is multiplied by its weight, then the whole chunk by
   * one number that gives it the mean it had before.
   */
  RESTORE_MEAN,
  /**
   * Compel's rule: each token's embedding moves away from that of the empty prompt or towards it.
   * Words weighted below 1 are in addition mixed with the prompt from which they are hidden by
   * masking their tokens in the text encoder's attention. Opens the text encoder a second time when
   * a weight below 1 is first met.
   */
  INTERPOLATE_MASKED,
  /** As {@link #INTERPOLATE_MASKED}, but mixed with the prompt from which the words are removed. */
  INTERPOLATE_REMOVED
}
