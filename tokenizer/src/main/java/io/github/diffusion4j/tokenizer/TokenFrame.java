package io.github.diffusion4j.tokenizer;

import java.util.List;

/**
 * The special tokens that a text encoder wants around and behind a text's own tokens.
 *
 * @param before ids put before the text: the start token of CLIP, none of T5
 * @param after ids put after the text, kept when the text is cut: the end token
 * @param pad id that fills up to the wanted length
 */
public record TokenFrame(List<Integer> before, List<Integer> after, int pad) {
  /** Copies the lists and checks the ids. */
  public TokenFrame {
    before = List.copyOf(before);
    after = List.copyOf(after);
    for (List<Integer> ids : List.of(before, after, List.of(pad))) {
      for (int id : ids) {
        if (id < 0) {
          throw new IllegalArgumentException("special token ids must be 0 or more, got " + id);
        }
      }
    }
  }

  /**
   * How many tokens of a text fit into a length.
   *
   * @param length tokens of one sequence, special tokens included
   * @return tokens that remain for the text, 0 or more
   * @throws IllegalArgumentException if not even the special tokens fit
   */
  public int capacity(int length) {
    int capacity = length - before.size() - after.size();
    if (capacity < 0) {
      throw new IllegalArgumentException(
          "length must be at least " + (length - capacity) + " special tokens, got " + length);
    }
    return capacity;
  }
}
