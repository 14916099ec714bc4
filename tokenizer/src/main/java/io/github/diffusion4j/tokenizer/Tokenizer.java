package io.github.diffusion4j.tokenizer;

import java.util.List;

/**
 * Turns a text into the ids of a text encoder and back. Safe to share between threads; {@link
 * #close} waits for calls in progress, and calls after it throw {@link IllegalStateException}.
 */
public interface Tokenizer extends AutoCloseable {
  /**
   * The model's length.
   *
   * @return ids of one sequence, special tokens and padding included
   */
  int maxLength();

  /**
   * The special tokens around and behind a text.
   *
   * @return start, end and pad ids
   */
  TokenFrame frame();

  /**
   * Splits a text into all of its tokens: no special token added, nothing cut, nothing padded.
   *
   * @param text any text; a surrogate without its partner counts as U+FFFD
   * @return tokens in order, unmodifiable
   */
  List<Token> tokenize(String text);

  /**
   * Joins tokens to a text. What the tokenizer normalised away (letter case, kinds of blanks) does
   * not come back.
   *
   * @param ids token ids of this vocabulary; special tokens are left out of the text
   * @return the text, without blanks at its ends
   */
  String decode(int... ids);

  /**
   * Encodes a text to the model's length.
   *
   * @param text any text
   * @return {@link #maxLength()} ids
   */
  default TokenIds encode(String text) {
    return encode(text, maxLength());
  }

  /**
   * Encodes a text to a length of the caller's.
   *
   * @param text any text
   * @param length ids wanted, at least as many as the special tokens
   * @return exactly {@code length} ids: cut or padded, the end token kept
   */
  default TokenIds encode(String text, int length) {
    frame().capacity(length);
    return TokenIds.of(text, tokenize(text), frame(), length);
  }

  /** Frees native memory. Closing again does nothing. */
  @Override
  void close();
}
