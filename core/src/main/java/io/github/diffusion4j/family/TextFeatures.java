package io.github.diffusion4j.family;

/**
 * What a text encoder says of one sequence of tokens. Shared between generations: neither array is
 * ever to be changed.
 *
 * @param hidden [tokens, width] row-major; not to be changed
 * @param tokens number of tokens
 * @param width of one token's embedding
 * @param pooled of the whole sequence; of no length where the encoder gives none; not to be changed
 */
record TextFeatures(float[] hidden, int tokens, int width, float[] pooled) {

  /** Memory of the arrays. */
  long bytes() {
    return 4L * (hidden.length + pooled.length);
  }

  /** The same with other hidden states of the same width. */
  TextFeatures withHidden(float[] states) {
    return new TextFeatures(states, states.length / width, width, pooled);
  }
}
