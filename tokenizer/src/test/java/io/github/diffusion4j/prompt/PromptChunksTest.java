package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.tokenizer.Token;
import io.github.diffusion4j.tokenizer.TokenFrame;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PromptChunksTest {
  private static final int LENGTH = 7;

  /** One token per number or comma; numbers are their own ids, a comma is 50. */
  private static final class NumberTokenizer implements Tokenizer {
    @Override
    public int maxLength() {
      return LENGTH;
    }

    @Override
    public TokenFrame frame() {
      return new TokenFrame(List.of(98), List.of(99), 0);
    }

    @Override
    public List<Token> tokenize(String text) {
      List<Token> tokens = new ArrayList<>();
      for (Matcher word = Pattern.compile("\\d+|,").matcher(text); word.find(); ) {
        int id = word.group().equals(",") ? 50 : Integer.parseInt(word.group());
        tokens.add(new Token(id, word.group(), word.start(), word.end()));
      }
      return tokens;
    }

    @Override
    public String decode(int... ids) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }

  private static PromptChunks chunks(String prompt, int commaReach) {
    return PromptChunks.of(new NumberTokenizer(), Emphasis.parse(prompt), LENGTH, commaReach);
  }

  private static List<List<Integer>> ids(PromptChunks chunks) {
    return chunks.chunks().stream()
        .map(chunk -> java.util.Arrays.stream(chunk.ids().toIntArray()).boxed().toList())
        .toList();
  }

  @Test
  void aLongPromptFillsChunkAfterChunk() {
    assertEquals(
        List.of(List.of(98, 1, 2, 3, 4, 5, 99), List.of(98, 6, 99, 0, 0, 0, 0)),
        ids(chunks("1 2 3 4 5 6", 0)));
    assertEquals(List.of(List.of(98, 1, 2, 3, 4, 5, 99)), ids(chunks("1 2 3 4 5", 0)));
    assertEquals(List.of(List.of(98, 99, 0, 0, 0, 0, 0)), ids(chunks("", 0)));
  }

  @Test
  void breakEndsAChunk() {
    List<Integer> empty = List.of(98, 99, 0, 0, 0, 0, 0);
    List<Integer> one = List.of(98, 1, 99, 0, 0, 0, 0);
    List<Integer> two = List.of(98, 2, 99, 0, 0, 0, 0);
    assertEquals(List.of(one, two), ids(chunks("1 BREAK 2", 0)));
    assertEquals(List.of(one, empty, two), ids(chunks("1 BREAK BREAK 2", 0)));
    assertEquals(List.of(one), ids(chunks("1 BREAK", 0)));
    assertEquals(List.of(empty, one), ids(chunks("BREAK 1", 0)));
  }

  @Test
  void aFullChunkGivesWhatFollowsItsLastCommaToTheNext() {
    assertEquals(
        List.of(List.of(98, 1, 2, 50, 99, 0, 0), List.of(98, 3, 4, 5, 99, 0, 0)),
        ids(chunks("1 2 , 3 4 5", 20)));
    assertEquals(
        List.of(List.of(98, 1, 2, 50, 3, 4, 99), List.of(98, 5, 99, 0, 0, 0, 0)),
        ids(chunks("1 2 , 3 4 5", 2)));
    assertEquals(
        List.of(List.of(98, 1, 2, 3, 4, 5, 99), List.of(98, 50, 6, 99, 0, 0, 0)),
        ids(chunks("1 2 3 4 5 , 6", 20)));
  }

  @Test
  void weightsStandBesideTheirTokens() {
    PromptChunks weighted = chunks("1 (2:1.5) [3]", 0);
    assertArrayEquals(
        new float[] {1, 1, 1.5f, (float) (1 / 1.1), 1, 1, 1}, weighted.chunks().get(0).weights());
    assertEquals(
        List.of(0, 1, 3),
        weighted.chunks().get(0).tokens().stream().map(WeightedToken::part).toList());
    assertFalse(weighted.isNeutral());
    assertTrue(chunks("1 2 (3:1)", 0).isNeutral());
  }

  @Test
  void paddingAddsEmptyChunks() {
    PromptChunks padded = chunks("1", 0).padTo(2);
    assertEquals(
        List.of(List.of(98, 1, 99, 0, 0, 0, 0), List.of(98, 99, 0, 0, 0, 0, 0)), ids(padded));
    assertThrows(IllegalArgumentException.class, () -> padded.padTo(1));
  }

  @Test
  void badArgumentsAreNamed() {
    List<WeightedText> parts = List.of(new WeightedText("1", 1));
    Tokenizer tokenizer = new NumberTokenizer();
    assertThrows(IllegalArgumentException.class, () -> PromptChunks.of(tokenizer, parts, 2, 0));
    assertThrows(
        IllegalArgumentException.class, () -> PromptChunks.of(tokenizer, parts, LENGTH, -1));
    assertThrows(IllegalArgumentException.class, () -> new PromptChunks(List.of()));
  }
}
