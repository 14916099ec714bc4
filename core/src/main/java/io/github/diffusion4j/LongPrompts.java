package io.github.diffusion4j;

/** What becomes of a prompt that is longer than a CLIP text encoder's 75 tokens. */
public enum LongPrompts {
  /** It is cut, with a warning that names what is cut, as diffusers does. */
  TRUNCATE,
  /**
   * It is encoded in chunks of 75 tokens, each with start and end, whose embeddings are put one
   * after the other. Shorter prompts beside it are filled up with empty chunks.
   */
  CHUNKS
}
