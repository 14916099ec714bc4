package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tokenizer.Token;
import io.github.diffusion4j.tokenizer.TokenFrame;
import io.github.diffusion4j.tokenizer.TokenIds;
import java.util.Arrays;
import java.util.List;

/**
 * As much of a prompt as the text encoder takes at once: start token, tokens, end token, padding.
 *
 * @param tokens the prompt's tokens, at most as many as fit beside the special tokens
 * @param frame special tokens
 * @param length ids of the chunk, special tokens and padding included
 */
public record PromptChunk(List<WeightedToken> tokens, TokenFrame frame, int length) {
  /** Copies the tokens and checks that they fit. */
  public PromptChunk {
    tokens = List.copyOf(tokens);
    requireNonNull(frame, "frame");
    if (tokens.size() > frame.capacity(length)) {
      throw new IllegalArgumentException(
          "tokens must be at most %d for length %d, got %d"
              .formatted(frame.capacity(length), length, tokens.size()));
    }
  }

  /**
   * The ids as the text encoder takes them.
   *
   * @return exactly {@link #length()} ids with nothing cut
   */
  public TokenIds ids() {
    List<Token> plain = tokens.stream().map(WeightedToken::token).toList();
    return TokenIds.of("", plain, frame, length);
  }

  /**
   * The factor of each id's embedding.
   *
   * @return a new array of {@link #length()} weights; 1 for special tokens and padding
   */
  public float[] weights() {
    float[] weights = new float[length];
    Arrays.fill(weights, 1);
    int at = frame.before().size();
    for (WeightedToken token : tokens) {
      weights[at++] = (float) token.weight();
    }
    return weights;
  }
}
