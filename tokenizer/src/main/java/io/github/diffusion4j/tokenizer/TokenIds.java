package io.github.diffusion4j.tokenizer;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.List;

/**
 * The ids that a text encoder is given for one text: special tokens, the text's tokens, padding.
 * Immutable.
 */
public final class TokenIds {
  private final int[] ids;
  private final int attended;
  private final List<Token> tokens;
  private final List<Token> cutTokens;
  private final String cutText;

  private TokenIds(int[] ids, int attended, List<Token> kept, List<Token> cut, String cutText) {
    this.ids = ids;
    this.attended = attended;
    this.tokens = kept;
    this.cutTokens = cut;
    this.cutText = cutText;
  }

  /**
   * Frames a text's tokens, cuts what is too long (never the frame) and pads what is too short.
   *
   * @param text the text that the tokens come from
   * @param tokens all tokens of the text, without special tokens
   * @param frame special tokens
   * @param length ids wanted, at least the frame's own
   * @return exactly {@code length} ids
   */
  public static TokenIds of(String text, List<Token> tokens, TokenFrame frame, int length) {
    requireNonNull(text, "text");
    int kept = Math.min(tokens.size(), frame.capacity(length));
    int[] ids = new int[length];
    int at = 0;
    for (int id : frame.before()) {
      ids[at++] = id;
    }
    for (Token token : tokens.subList(0, kept)) {
      ids[at++] = token.id();
    }
    for (int id : frame.after()) {
      ids[at++] = id;
    }
    Arrays.fill(ids, at, length, frame.pad());
    List<Token> cut = List.copyOf(tokens.subList(kept, tokens.size()));
    String cutText = cut.isEmpty() ? "" : text.substring(cut.get(0).start());
    return new TokenIds(ids, at, List.copyOf(tokens.subList(0, kept)), cut, cutText);
  }

  /**
   * Number of ids, padding included.
   *
   * @return the length asked for
   */
  public int length() {
    return ids.length;
  }

  /**
   * One id.
   *
   * @param index position, 0 to length() - 1
   * @return the id there
   */
  public int id(int index) {
    return ids[index];
  }

  /**
   * Number of ids that are not padding; they come first.
   *
   * @return special tokens and the text's tokens, at most {@link #length()}
   */
  public int attendedLength() {
    return attended;
  }

  /**
   * The ids as 64-bit integers.
   *
   * @return a new array of {@link #length()} ids
   */
  public long[] toLongArray() {
    long[] copy = new long[ids.length];
    copyInto(copy, 0);
    return copy;
  }

  /**
   * The ids as 32-bit integers.
   *
   * @return a new array of {@link #length()} ids
   */
  public int[] toIntArray() {
    return ids.clone();
  }

  /**
   * The attention mask.
   *
   * @return a new array: 1 for special tokens and text, 0 for padding
   */
  public long[] attentionMask() {
    long[] mask = new long[ids.length];
    Arrays.fill(mask, 0, attended, 1);
    return mask;
  }

  /**
   * Writes the ids into a batch.
   *
   * @param destination row-major [batch, length], overwritten from {@code offset}
   * @param offset first element to write
   */
  public void copyInto(long[] destination, int offset) {
    for (int i = 0; i < ids.length; i++) {
      destination[offset + i] = ids[i];
    }
  }

  /**
   * Writes the ids into a batch.
   *
   * @param destination row-major [batch, length], overwritten from {@code offset}
   * @param offset first element to write
   */
  public void copyInto(int[] destination, int offset) {
    System.arraycopy(ids, 0, destination, offset, ids.length);
  }

  /**
   * The text's tokens that the model sees, without special tokens.
   *
   * @return tokens in order, unmodifiable
   */
  public List<Token> tokens() {
    return tokens;
  }

  /**
   * The text's tokens that did not fit.
   *
   * @return tokens in order, unmodifiable; empty when all fit
   */
  public List<Token> cutTokens() {
    return cutTokens;
  }

  /**
   * The end of the text that the model does not see.
   *
   * @return the text from the first token that did not fit, as written; "" when all fit
   */
  public String cutText() {
    return cutText;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenIds that
        && attended == that.attended
        && Arrays.equals(ids, that.ids)
        && tokens.equals(that.tokens)
        && cutTokens.equals(that.cutTokens)
        && cutText.equals(that.cutText);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + cutText.hashCode();
  }

  @Override
  public String toString() {
    return "TokenIds[length=%d, attended=%d, cut=%d]"
        .formatted(ids.length, attended, cutTokens.size());
  }
}
