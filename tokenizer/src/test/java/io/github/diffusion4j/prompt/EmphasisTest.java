package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class EmphasisTest {
  @Test
  void aMalformedWeightIsFoundAtItsPlace() {
    PromptSyntaxException e =
        assertThrows(PromptSyntaxException.class, () -> Emphasis.parse("a (cat: 1.1.1)"));
    assertEquals(8, e.position());
    assertEquals(
        "prompt, character 9: expected a weight such as 1.3 between : and ), found \"1.1.1\"",
        e.getMessage());
  }

  @Test
  void aWeightBeyondNumbersIsRejected() {
    String huge = "(x:" + "9".repeat(400) + ")";
    assertThrows(PromptSyntaxException.class, () -> Emphasis.parse(huge));
    String product = "(".repeat(20) + "x" + (":" + "9".repeat(30) + ")").repeat(20);
    assertThrows(PromptSyntaxException.class, () -> Emphasis.parse(product));
  }

  @Test
  void bracketsNestAsDeepAsIsOfUse() {
    List<WeightedText> parts = Emphasis.parse("(".repeat(500) + "x");
    assertEquals(Math.pow(1.1, 500), parts.get(0).weight(), 1e8);
    PromptSyntaxException e =
        assertThrows(PromptSyntaxException.class, () -> Emphasis.parse("[".repeat(501) + "x"));
    assertEquals(500, e.position());
  }

  @Test
  void onlyAnUnweightedBreakStartsAChunk() {
    assertTrue(Emphasis.parse("a BREAK b").get(1).isBreak());
    assertFalse(Emphasis.parse("(a BREAK b)").get(1).isBreak());
  }
}
