package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.tokenizer.Goldens;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The web UI's own parse of prompts with weights. */
class EmphasisGoldenTest {
  @TestFactory
  List<DynamicTest> parsesAsTheReference() {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode file :
        Goldens.all("tokenizers", golden -> golden.at("/cases/0").has("parsed")).values()) {
      assertFalse(file.path("cases").isEmpty(), "no cases");
      for (JsonNode golden : file.path("cases")) {
        String name = tests.size() + " " + golden.path("prompt");
        tests.add(dynamicTest(name, () -> check(golden)));
      }
    }
    return tests;
  }

  private static void check(JsonNode golden) {
    String prompt = golden.path("prompt").textValue();
    if (golden.path("parsed").isNull()) {
      assertDoesNotThrow(() -> parseOrReject(prompt));
      return;
    }
    List<WeightedText> parsed = Emphasis.parse(prompt);
    assertEquals(golden.path("parsed").size(), parsed.size(), parsed::toString);
    for (int i = 0; i < parsed.size(); i++) {
      JsonNode expected = golden.path("parsed").get(i);
      assertEquals(expected.get(0).textValue(), parsed.get(i).text());
      assertEquals(expected.get(1).doubleValue(), parsed.get(i).weight(), 1e-6);
    }
  }

  /** Without a defined result: anything but a crash. */
  private static void parseOrReject(String prompt) {
    try {
      Emphasis.parse(prompt);
    } catch (PromptSyntaxException e) {
      assertFalse(e.getMessage().isEmpty());
    }
  }
}
