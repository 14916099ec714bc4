package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.Goldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * The cases.json of one golden.
 *
 * @param variant the golden's folder
 * @param model its model's folder
 * @param root the file's content
 */
record GoldenCases(Path variant, Path model, JsonNode root) {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /** Makes tests of the cases that concern it. */
  interface Tests {
    void add(GoldenCases cases, List<DynamicTest> tests);
  }

  /** The tests of all goldens; the bundled ones must have one. */
  static List<DynamicTest> of(String what, Tests found) throws IOException {
    Path goldens = Goldens.folder("pipelines");
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> variants = Files.list(goldens)) {
      for (Path variant : variants.sorted().toList()) {
        if (Files.isRegularFile(variant.resolve("cases.json"))) {
          JsonNode root = JSON.readTree(variant.resolve("cases.json").toFile());
          Path model = variant.resolve(root.path("model_dir").asText("model")).normalize();
          found.add(new GoldenCases(variant, model, root), tests);
        }
      }
    }
    if (goldens.equals(Goldens.resource("/goldens/pipelines"))) {
      assertFalse(tests.isEmpty(), "no " + what + " among the bundled goldens");
    }
    return tests;
  }
}
