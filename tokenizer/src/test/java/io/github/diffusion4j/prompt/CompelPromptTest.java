package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.prompt.CompelPrompt.LoraReference;
import io.github.diffusion4j.prompt.CompelPrompt.Passage;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Corners of the grammar; expected values are Compel's for the same prompts. */
class CompelPromptTest {
  private static List<WeightedText> texts(String prompt) {
    CompelPrompt parsed = CompelPrompt.parse(prompt);
    assertEquals(1, parsed.clauses().size());
    return ((Passage) parsed.clauses().get(0).part()).texts();
  }

  static Stream<Arguments> prompts() {
    return Stream.of(
        Arguments.of(
            "well-known c++ x-ray",
            List.of(
                new WeightedText("well-known", 1),
                new WeightedText("c", Math.pow(1.1, 2)),
                new WeightedText("x-ray", 1))),
        Arguments.of(
            "cat, dog+ + -",
            List.of(
                new WeightedText("cat,", 1),
                new WeightedText("dog", 1.1),
                new WeightedText("+ -", 1))),
        Arguments.of(
            "(unclosed cat+",
            List.of(new WeightedText("(unclosed", 1), new WeightedText("cat", 1.1))),
        Arguments.of(
            "a \\(red\\)+", List.of(new WeightedText("a", 1), new WeightedText("(red)", 1.1))),
        Arguments.of(
            "\"red cat\"-- (x).attend(2)",
            List.of(new WeightedText("red cat", Math.pow(0.9, 2)), new WeightedText("x", 2))),
        Arguments.of("(a,b)1.5", List.of(new WeightedText("a , b", 1.5))),
        Arguments.of("(a)-1", List.of(new WeightedText("a", 0.9), new WeightedText("1", 1))),
        Arguments.of("\t\n", List.of(new WeightedText("", 1))),
        Arguments.of("()", List.of(new WeightedText("", 1))));
  }

  @ParameterizedTest
  @MethodSource("prompts")
  void readsAsCompelDoes(String prompt, List<WeightedText> expected) {
    assertEquals(expected, texts(prompt));
  }

  @Test
  void adaptersAreSetApart() {
    CompelPrompt parsed = CompelPrompt.parse("withLora(ink, 0.5) a cat useLora(old-film)");
    assertEquals(
        List.of(new LoraReference("ink", 0.5), new LoraReference("old-film", 1)), parsed.loras());
    assertEquals(List.of(new WeightedText("a cat", 1)), texts("withLora(ink) a cat"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\'',
      value = {
        "(\"a\", \"b\").blend(1);  10; 2 texts and 1 weights",
        "(\"a\", \"b\").and(1, x);  10; expected weights, found \"x\"",
        "(\"a\",\"b\").and() c;     16; text after .and() would be lost",
        "(\"a\",\"b\").blend(1,1)c; 20; text after .blend() would be lost",
        "a cat.swap(dog);           2; .swap() needs control of cross-attention",
        "(\"a\", ()).blend(1, 1);   9; .blend() has an empty text"
      })
  void errorsHaveAPosition(String prompt, int position, String message) {
    PromptSyntaxException e =
        assertThrows(PromptSyntaxException.class, () -> CompelPrompt.parse(prompt));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertEquals(position, e.position());
  }

  @Test
  void hostilePromptsEndSoon() {
    assertThrows(PromptSyntaxException.class, () -> CompelPrompt.parse("(".repeat(10_000) + "x"));
    String nested = "(".repeat(150) + "x" + ")".repeat(150);
    assertEquals(List.of(new WeightedText("x", 1)), texts(nested));
    String weights = "(".repeat(100) + "x" + (")" + "9".repeat(30)).repeat(100);
    assertThrows(PromptSyntaxException.class, () -> CompelPrompt.parse(weights));
    assertThrows(PromptSyntaxException.class, () -> CompelPrompt.parse("x" + "+".repeat(100_000)));
  }
}
