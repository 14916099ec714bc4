package io.github.diffusion4j.family;

/**
 * What text encoders say of one text. Shared between generations: neither array is ever to be
 * changed.
 *
 * @param hidden [tokens, width] row-major; not to be changed
 * @param tokens number of tokens
 * @param width of one token's embedding
 * @param pooled of the whole text; of no length where the encoder gives none; not to be changed
 */
record TextFeatures(float[] hidden, int tokens, int width, float[] pooled) {

  /** Nothing said at all: zeros of the same shape. */
  TextFeatures zeros() {
    return new TextFeatures(new float[hidden.length], tokens, width, new float[pooled.length]);
  }

  /** This with another embedding of the whole text. */
  TextFeatures withPooled(float[] other) {
    return new TextFeatures(hidden, tokens, width, other);
  }

  /** Each token's embedding followed by another encoder's; pooled embeddings likewise. */
  TextFeatures beside(TextFeatures other) {
    if (tokens != other.tokens) {
      throw new IllegalArgumentException(
          "two text encoders that read one text together give %d and %d tokens"
              .formatted(tokens, other.tokens));
    }
    TextFeatures joined = widened(width + other.width);
    for (int i = 0; i < tokens; i++) {
      System.arraycopy(
          other.hidden, i * other.width, joined.hidden, i * joined.width + width, other.width);
    }
    return new TextFeatures(joined.hidden, tokens, joined.width, join(pooled, other.pooled));
  }

  /** The tokens of this followed by those of another; pooled embeddings likewise. */
  TextFeatures then(TextFeatures other) {
    if (width != other.width) {
      throw new IllegalArgumentException(
          "text embeddings of widths %d and %d cannot follow each other"
              .formatted(width, other.width));
    }
    return new TextFeatures(
        join(hidden, other.hidden), tokens + other.tokens, width, join(pooled, other.pooled));
  }

  /** Each token's embedding filled up with zeros to a width; a copy. */
  TextFeatures widened(int wider) {
    if (wider < width) {
      throw new IllegalArgumentException(
          "text embeddings %d wide do not fit in %d".formatted(width, wider));
    }
    float[] values = new float[Math.multiplyExact(tokens, wider)];
    for (int i = 0; i < tokens; i++) {
      System.arraycopy(hidden, i * width, values, i * wider, width);
    }
    return new TextFeatures(values, tokens, wider, pooled);
  }

  private static float[] join(float[] first, float[] second) {
    float[] both = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /** Memory of the arrays. */
  long bytes() {
    return 4L * (hidden.length + pooled.length);
  }

  /** The same with other hidden states of the same width. */
  TextFeatures withHidden(float[] states) {
    return new TextFeatures(states, states.length / width, width, pooled);
  }
}
