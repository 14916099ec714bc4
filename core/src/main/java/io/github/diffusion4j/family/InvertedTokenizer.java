package io.github.diffusion4j.family;

import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.tokenizer.Token;
import io.github.diffusion4j.tokenizer.TokenFrame;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer that knows words of textual inversion: a word of several vectors becomes as many
 * tokens. Thread-safe.
 */
final class InvertedTokenizer implements Tokenizer {

  private final Tokenizer tokenizer;
  private final Map<Integer, List<Token>> parts = new HashMap<>();

  /**
   * Looks up the words' ids.
   *
   * @param tokenizer one whose vocabulary has the words and their parts; closed with this one
   */
  InvertedTokenizer(Tokenizer tokenizer, List<TextualInversion> inversions) {
    this.tokenizer = tokenizer;
    for (TextualInversion inversion : inversions) {
      List<Token> tokens =
          inversion.tokens().stream().map(word -> tokenizer.tokenize(word).get(0)).toList();
      parts.put(tokens.get(0).id(), tokens.subList(1, tokens.size()));
    }
  }

  @Override
  public List<Token> tokenize(String text) {
    List<Token> tokens = new ArrayList<>();
    for (Token token : tokenizer.tokenize(text)) {
      tokens.add(token);
      for (Token part : parts.getOrDefault(token.id(), List.of())) {
        tokens.add(new Token(part.id(), part.piece(), token.start(), token.end()));
      }
    }
    return List.copyOf(tokens);
  }

  @Override
  public int maxLength() {
    return tokenizer.maxLength();
  }

  @Override
  public TokenFrame frame() {
    return tokenizer.frame();
  }

  @Override
  public String decode(int... ids) {
    return tokenizer.decode(ids);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
