package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tokenizer.Token;
import io.github.diffusion4j.tokenizer.TokenFrame;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt of any length as chunks of the text encoder's length, whose embeddings are put one after
 * the other. Where only one chunk is used, the tokens of the others are what is cut.
 *
 * @param chunks chunks in order, one or more, all of one frame and length
 */
public record PromptChunks(List<PromptChunk> chunks) {
  /** How far the web UI looks back for a comma when a chunk is full. */
  public static final int WEB_UI_COMMA_REACH = 20;

  /** Copies the chunks and checks that they are alike. */
  public PromptChunks {
    chunks = List.copyOf(chunks);
    if (chunks.isEmpty()) {
      throw new IllegalArgumentException("chunks must not be empty");
    }
    PromptChunk first = chunks.get(0);
    for (PromptChunk chunk : chunks) {
      if (chunk.length() != first.length() || !chunk.frame().equals(first.frame())) {
        throw new IllegalArgumentException("chunks must be of one frame and length");
      }
    }
  }

  /**
   * Fills chunk after chunk with the tokens of a prompt.
   *
   * @param tokenizer tokenizer of the text encoder; each piece is tokenized by itself
   * @param parts pieces of the prompt in order; a {@link WeightedText#isBreak() break} ends the
   *     chunk
   * @param length ids of a chunk, with room for one token or more beside the special tokens
   * @param commaReach a full chunk gives the tokens behind its last comma to the next chunk when
   *     they are at most this many; 0 never, the web UI's default is {@value #WEB_UI_COMMA_REACH}
   * @return one chunk or more
   */
  public static PromptChunks of(
      Tokenizer tokenizer, List<WeightedText> parts, int length, int commaReach) {
    requireNonNull(tokenizer, "tokenizer");
    if (commaReach < 0) {
      throw new IllegalArgumentException("commaReach must be 0 or more, got " + commaReach);
    }
    if (tokenizer.frame().capacity(length) < 1) {
      throw new IllegalArgumentException(
          "length must leave room for a token beside the special tokens, got " + length);
    }
    List<Token> comma = commaReach == 0 ? List.of() : tokenizer.tokenize(",");
    Filler filler =
        new Filler(
            tokenizer.frame(), length, comma.size() == 1 ? comma.get(0).id() : -1, commaReach);
    for (int part = 0; part < parts.size(); part++) {
      WeightedText text = parts.get(part);
      if (text.isBreak()) {
        filler.finishChunk();
      } else {
        for (Token token : tokenizer.tokenize(text.text())) {
          filler.add(new WeightedToken(token, text.weight(), part));
        }
      }
    }
    return new PromptChunks(filler.finish());
  }

  /**
   * Adds empty chunks, so that prompt and negative prompt have embeddings of equal length.
   *
   * @param count chunks wanted, at least as many as there are
   * @return chunks with empty ones at the end
   */
  public PromptChunks padTo(int count) {
    if (count < chunks.size()) {
      throw new IllegalArgumentException(
          "count must be at least " + chunks.size() + " chunks, got " + count);
    }
    PromptChunk first = chunks.get(0);
    List<PromptChunk> padded = new ArrayList<>(chunks);
    while (padded.size() < count) {
      padded.add(new PromptChunk(List.of(), first.frame(), first.length()));
    }
    return new PromptChunks(padded);
  }

  /**
   * Whether all weights are 1, so that the embeddings need no weighting.
   *
   * @return true if no token has another weight
   */
  public boolean isNeutral() {
    return chunks.stream()
        .flatMap(chunk -> chunk.tokens().stream())
        .allMatch(token -> token.weight() == 1);
  }

  /** The chunks under construction. */
  private static final class Filler {
    private final TokenFrame frame;
    private final int length;
    private final int comma;
    private final int commaReach;
    private final List<PromptChunk> chunks = new ArrayList<>();
    private List<WeightedToken> tokens = new ArrayList<>();
    private int lastComma = -1;

    Filler(TokenFrame frame, int length, int comma, int commaReach) {
      this.frame = frame;
      this.length = length;
      this.comma = comma;
      this.commaReach = commaReach;
    }

    void add(WeightedToken token) {
      boolean full = tokens.size() == frame.capacity(length);
      if (token.token().id() == comma) {
        lastComma = tokens.size();
      } else if (full && lastComma >= 0 && tokens.size() - lastComma <= commaReach) {
        List<WeightedToken> behind = tokens.subList(lastComma + 1, tokens.size());
        List<WeightedToken> moved = new ArrayList<>(behind);
        behind.clear();
        finishChunk();
        tokens = moved;
        full = false;
      }
      if (full) {
        finishChunk();
      }
      tokens.add(token);
    }

    void finishChunk() {
      chunks.add(new PromptChunk(tokens, frame, length));
      tokens = new ArrayList<>();
      lastComma = -1;
    }

    List<PromptChunk> finish() {
      if (!tokens.isEmpty() || chunks.isEmpty()) {
        finishChunk();
      }
      return chunks;
    }
  }
}
