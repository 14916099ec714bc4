package io.github.diffusion4j.tokenizer;

import java.util.HashSet;
import java.util.List;

/**
 * What a caller may ask of a tokenizer beside what its files say.
 *
 * @param limit most ids that the text encoder takes, 1 or more
 * @param addedTokens words to be tokens of their own, with ids after the vocabulary's last in this
 *     order: textual inversion; each different and without blanks
 */
public record TokenizerOptions(int limit, List<String> addedTokens) {
  /** The tokenizer's own length and vocabulary. */
  public static final TokenizerOptions DEFAULTS =
      new TokenizerOptions(Integer.MAX_VALUE, List.of());

  /** Copies the list and checks the words. */
  public TokenizerOptions {
    addedTokens = List.copyOf(addedTokens);
    if (limit < 1) {
      throw new IllegalArgumentException("limit must be 1 or more tokens, got " + limit);
    }
    for (String token : addedTokens) {
      if (token.isEmpty() || token.chars().anyMatch(Character::isWhitespace)) {
        throw new IllegalArgumentException(
            "addedTokens must be words without blanks, got \"" + token + "\"");
      }
    }
    if (new HashSet<>(addedTokens).size() < addedTokens.size()) {
      throw new IllegalArgumentException("addedTokens must be different, got " + addedTokens);
    }
  }

  /**
   * These options with another limit.
   *
   * @param newLimit most ids that the text encoder takes, 1 or more
   * @return a copy
   */
  public TokenizerOptions withLimit(int newLimit) {
    return new TokenizerOptions(newLimit, addedTokens);
  }

  /**
   * These options with other added tokens.
   *
   * @param tokens words in the order of their ids
   * @return a copy
   */
  public TokenizerOptions withAddedTokens(List<String> tokens) {
    return new TokenizerOptions(limit, tokens);
  }
}
