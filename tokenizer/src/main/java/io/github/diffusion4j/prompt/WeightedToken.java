package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tokenizer.Token;

/**
 * A token of a weighted prompt.
 *
 * @param token the token; its range is within its own piece of the prompt
 * @param weight factor of its embedding, finite; 1 is neutral
 * @param part index of its piece in the list that the chunks were made from
 */
public record WeightedToken(Token token, double weight, int part) {
  /** Checks the ranges. */
  public WeightedToken {
    requireNonNull(token, "token");
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("weight must be finite, got " + weight);
    }
    if (part < 0) {
      throw new IllegalArgumentException("part must be 0 or more, got " + part);
    }
  }
}
