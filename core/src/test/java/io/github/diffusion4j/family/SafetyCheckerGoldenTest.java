package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.image.ImageProcessor;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Safety checkers by themselves against diffusers: what they are given, and what they say. */
class SafetyCheckerGoldenTest {

  private static final float FEATURES = 1e-5f; // resized levels are Pillow's own
  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    return GoldenCases.of("safety checker", SafetyCheckerGoldenTest::addCases);
  }

  private static void addCases(GoldenCases cases, List<DynamicTest> tests) {
    for (JsonNode golden : cases.root().path("cases")) {
      if (golden.has("has_nsfw_concept")) {
        String name = cases.variant().getFileName() + "/" + golden.path("name").asText();
        tests.add(DynamicTest.dynamicTest(name, () -> check(cases, golden)));
      }
    }
  }

  private static void check(GoldenCases cases, JsonNode golden) throws IOException {
    int before = NativeCount.open();
    BufferedImage picture =
        ImageIO.read(cases.variant().resolve(golden.path("input").asText()).toFile());
    try (SafetensorsFile tensors =
            SafetensorsFile.open(cases.variant().resolve(golden.path("tensors").asText()));
        SafetyChecker checker = SafetyChecker.load(cases.model(), OPTIONS)) {
      ImageProcessor.Pixels features = checker.features(picture);
      List<Long> shape = tensors.info("clip_input").shape();
      assertEquals(shape, List.of(1L, 3L, (long) features.height(), (long) features.width()));
      assertArrayEquals(tensors.floats("clip_input"), features.values(), FEATURES);
      assertEquals(
          golden.path("has_nsfw_concept").asBoolean(),
          checker.flags(picture, new CancelToken()),
          "has_nsfw_concept");
    }
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  @Test
  void missingExtractorIsNamed(@TempDir Path folder) {
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> SafetyChecker.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("preprocessor_config.json"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("off"), thrown.getMessage());
  }
}
