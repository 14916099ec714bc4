package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

/**
 * A piece of a prompt and its weight.
 *
 * @param text the piece, blanks included
 * @param weight factor, finite; 1 is neutral
 */
public record WeightedText(String text, double weight) {
  /** The word that starts a new chunk in the web UI's language. */
  static final String BREAK = "BREAK";

  /** Checks the weight. */
  public WeightedText {
    requireNonNull(text, "text");
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("weight must be finite, got " + weight);
    }
  }

  /**
   * Whether this is not text but the order to start a new chunk.
   *
   * @return true for BREAK with weight -1, as {@link Emphasis} gives it
   */
  public boolean isBreak() {
    return weight == -1 && text.equals(BREAK);
  }
}
