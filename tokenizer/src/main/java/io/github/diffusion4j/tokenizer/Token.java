package io.github.diffusion4j.tokenizer;

import static java.util.Objects.requireNonNull;

/**
 * A token and the characters it stands for.
 *
 * @param id row of the text encoder's embedding table, 0 or more
 * @param piece the vocabulary's spelling, with its marks for word ends and bytes
 * @param start first character in the text, UTF-16 index, inclusive
 * @param end last character in the text, UTF-16 index, exclusive; tokens of one character's bytes
 *     share a range
 */
public record Token(int id, String piece, int start, int end) {
  /** Checks the ranges. */
  public Token {
    requireNonNull(piece, "piece");
    if (id < 0) {
      throw new IllegalArgumentException("id must be 0 or more, got " + id);
    }
    if (start < 0 || end < start) {
      throw new IllegalArgumentException(
          "start and end must be a range of the text, got " + start + " to " + end);
    }
  }
}
