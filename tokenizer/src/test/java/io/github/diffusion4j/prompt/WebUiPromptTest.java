package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.prompt.PromptSchedule.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Composition and editing over steps; expected values are the web UI's for the same prompts. */
class WebUiPromptTest {
  private static WeightedText part(String text, double weight) {
    return new WeightedText(text, weight);
  }

  static Stream<Arguments> compositions() {
    return Stream.of(
        Arguments.of("a cat", List.of(part("a cat", 1))),
        Arguments.of("a cat AND a dog", List.of(part("a cat", 1), part(" a dog", 1))),
        Arguments.of("a cat :1.2 AND a dog:-.5", List.of(part("a cat", 1.2), part(" a dog", -.5))),
        Arguments.of("a cat: AND b", List.of(part("a cat:", 1), part(" b", 1))),
        Arguments.of("BAND AND ANDY", List.of(part("BAND", 1), part(" ANDY", 1))),
        Arguments.of("and AND", List.of(part("and", 1), part("", 1))),
        Arguments.of("(x:1.2) AND y : 2.", List.of(part("(x:1.2)", 1), part(" y", 2))),
        Arguments.of("", List.of(part("", 1))));
  }

  @ParameterizedTest
  @MethodSource("compositions")
  void splitsAtAnd(String prompt, List<WeightedText> parts) {
    assertEquals(parts, WebUiPrompt.split(prompt));
  }

  static Stream<Arguments> schedules() {
    return Stream.of(
        schedule("test", 10, "test"),
        schedule("a [b:3]", 3, "a ", 10, "a b"),
        schedule("a [b: 3 ]", 3, "a ", 10, "a b"),
        schedule("a [[[b]]:2]", 2, "a ", 10, "a [[b]]"),
        schedule("[(a:2):3]", 3, "", 10, "(a:2)"),
        schedule("a [b : c : 1] d", 1, "a b  d", 10, "a  c  d"),
        schedule("a[b:[c:d:2]:1]e", 1, "abe", 2, "ace", 10, "ade"),
        schedule("a [b::4] c", 4, "a b c", 10, "a  c"),
        schedule("a [unbalanced", 10, "a [unbalanced"),
        schedule("a [b:.5] c", 5, "a  c", 10, "a b c"),
        schedule("a [b:1.0]", 10, "a "),
        schedule("a [b:0]", 10, "a b"),
        schedule("a [b:-3]", 10, "a b"),
        schedule("a [b:99]", 10, "a "),
        schedule("a [b:1e0]", 1, "a ", 10, "a b"),
        schedule("((a][:b:c [d:3]", 3, "((a][:b:c ", 10, "((a][:b:c d"),
        schedule("[a:b:c:3]", 10, "[a:b:c:3]"),
        schedule("(a:b:c)", 10, "(a:b:c)"),
        schedule("\\[a:3\\] [b:3]", 3, "\\[a:3\\] ", 10, "\\[a:3\\] b"),
        schedule("[fe|]male", alternating("female", "male")),
        schedule("[a|(b:1.1)]", alternating("a", "(b:1.1)")),
        schedule("[x|x]", 10, "x"),
        schedule("a | b", 10, "a | b"));
  }

  private static Object[] alternating(String odd, String even) {
    List<Object> stages = new ArrayList<>();
    IntStream.rangeClosed(1, 10)
        .forEach(step -> stages.addAll(List.of(step, step % 2 == 1 ? odd : even)));
    return stages.toArray();
  }

  private static Arguments schedule(String prompt, Object... stages) {
    List<Stage> list = new ArrayList<>();
    for (int i = 0; i < stages.length; i += 2) {
      list.add(new Stage((Integer) stages[i], (String) stages[i + 1]));
    }
    return Arguments.of(prompt, list);
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void editsOverTenSteps(String prompt, List<Stage> stages) {
    assertEquals(stages, PromptSchedule.parse(prompt, 10).stages());
  }

  @Test
  void anEvaluationTakesTheTextOfTheWebUisCount() {
    PromptSchedule schedule = PromptSchedule.parse("[a:b:3]", 6);
    List<String> texts = IntStream.range(0, 6).mapToObj(schedule::textAt).toList();
    assertEquals(List.of("a", "a", "a", "a", "b", "b"), texts);
    assertEquals("b", schedule.textAt(100));
  }

  @Test
  void aWholePromptHasBranchesWithSchedules() {
    WebUiPrompt prompt = WebUiPrompt.parse("[a:b:2] AND c:0.5", 4);
    assertEquals(2, prompt.branches().size());
    assertEquals(
        List.of(new Stage(2, "a"), new Stage(4, "b")),
        prompt.branches().get(0).schedule().stages());
    assertEquals(0.5, prompt.branches().get(1).weight());
  }

  @Test
  void deepNestingNeedsNoStack() {
    String deep = "[".repeat(100_000) + "a:3" + "]".repeat(100_000);
    assertEquals(2, PromptSchedule.parse(deep, 10).stages().size());
    String open = "([".repeat(100_000);
    assertEquals(open, PromptSchedule.parse(open, 10).stages().get(0).text());
  }

  @Test
  void badArgumentsAreNamed() {
    assertThrows(IllegalArgumentException.class, () -> PromptSchedule.parse("a", 0));
    assertThrows(IllegalArgumentException.class, () -> new PromptSchedule(List.of()));
    List<Stage> stages = List.of(new Stage(2, "a"), new Stage(2, "b"));
    assertThrows(IllegalArgumentException.class, () -> new PromptSchedule(stages));
    String huge = "a:" + "9".repeat(400);
    assertThrows(PromptSyntaxException.class, () -> WebUiPrompt.split(huge));
  }
}
