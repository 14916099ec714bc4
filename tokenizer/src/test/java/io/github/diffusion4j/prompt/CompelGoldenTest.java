package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.prompt.CompelPrompt.Blend;
import io.github.diffusion4j.prompt.CompelPrompt.Clause;
import io.github.diffusion4j.prompt.CompelPrompt.Passage;
import io.github.diffusion4j.tokenizer.Goldens;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Compel's own parse, printed in its form: words exactly, numbers within 1e-9. */
class CompelGoldenTest {
  private static final Pattern NUMBER = Pattern.compile("-?\\d+\\.\\d+(?:[eE]-?\\d+)?");

  @TestFactory
  List<DynamicTest> parsesAsTheReference() {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode file : Goldens.all("pipelines", golden -> golden.has("compel")).values()) {
      assertFalse(file.path("cases").isEmpty(), "no cases");
      for (JsonNode golden : file.path("cases")) {
        String name = golden.path("key").asText() + " " + golden.path("prompt");
        tests.add(dynamicTest(name, () -> check(golden)));
      }
    }
    return tests;
  }

  private static void check(JsonNode golden) {
    String expected = golden.path("parsed").textValue();
    String found = print(CompelPrompt.parse(golden.path("prompt").textValue()));
    assertEquals(NUMBER.matcher(expected).replaceAll("#"), NUMBER.matcher(found).replaceAll("#"));
    List<Double> numbers = numbers(expected);
    for (int i = 0; i < numbers.size(); i++) {
      assertEquals(numbers.get(i), numbers(found).get(i), 1e-9, found);
    }
  }

  private static List<Double> numbers(String text) {
    List<Double> numbers = new ArrayList<>();
    for (Matcher number = NUMBER.matcher(text); number.find(); ) {
      numbers.add(Double.valueOf(number.group()));
    }
    return numbers;
  }

  private static String print(CompelPrompt prompt) {
    return "Conjunction:["
        + prompt.clauses().stream().map(CompelGoldenTest::print).collect(Collectors.joining(", "))
        + "] | type AND | weights "
        + prompt.clauses().stream().map(Clause::weight).toList()
        + " | loras ["
        + prompt.loras().stream()
            .map(lora -> "Lora('" + lora.name() + "'@" + lora.weight() + ")")
            .collect(Collectors.joining(", "))
        + "]";
  }

  private static String print(Clause clause) {
    if (clause.part() instanceof Blend blend) {
      return "Blend:["
          + blend.passages().stream().map(CompelGoldenTest::print).collect(Collectors.joining(", "))
          + "] | weights "
          + (blend.normalized() ? " " : "(non-normalized) ")
          + blend.weights();
    }
    return print((Passage) clause.part());
  }

  private static String print(Passage passage) {
    return "FlattenedPrompt:["
        + passage.texts().stream()
            .map(text -> "Fragment:'" + text.text() + "'@" + text.weight())
            .collect(Collectors.joining(", "))
        + "]";
  }
}
