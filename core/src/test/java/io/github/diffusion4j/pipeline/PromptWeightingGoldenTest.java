package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.PromptWeighting;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Embeddings of prompts in Compel's syntax against the Compel library itself. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PromptWeightingGoldenTest {

  private static final double TOLERANCE = 1e-4;
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private final Map<Path, StableDiffusionPipeline> pipelines = new TreeMap<>();

  @AfterAll
  void close() {
    pipelines.values().forEach(StableDiffusionPipeline::close);
  }

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    Path root = Goldens.folder("pipelines");
    List<DynamicTest> tests = of(root);
    return tests.isEmpty() ? of(Goldens.resource("/goldens/pipelines")) : tests;
  }

  private List<DynamicTest> of(Path root) throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> variants = Files.list(root)) {
      for (Path variant : variants.sorted().toList()) {
        Path file = variant.resolve("cases.json");
        JsonNode json = Files.exists(file) ? JSON.readTree(file.toFile()) : null;
        if (json != null && json.has("compel")) {
          assertFalse(json.get("cases").isEmpty(), file + " has no cases");
          Path model = variant.resolve(json.get("model_dir").asText()).normalize();
          for (JsonNode golden : json.get("cases")) {
            String name = variant.getFileName() + "/" + golden.get("key").asText();
            tests.add(
                DynamicTest.dynamicTest(
                    name + " " + golden.get("prompt"), () -> check(variant, model, golden)));
          }
        }
      }
    }
    return tests;
  }

  private StableDiffusionPipeline pipeline(Path model) {
    return pipelines.computeIfAbsent(
        model,
        folder -> {
          try {
            return StableDiffusionPipeline.load(
                folder, RuntimeOptions.builder().intraOpThreads(1).build());
          } catch (IOException e) {
            throw new IllegalStateException(folder.toString(), e);
          }
        });
  }

  private void check(Path variant, Path model, JsonNode golden) throws IOException {
    PromptWeighting weighting =
        switch (golden.get("downweight_mode").asText()) {
          case "MASK" -> PromptWeighting.INTERPOLATE_MASKED;
          case "REMOVE" -> PromptWeighting.INTERPOLATE_REMOVED;
          default -> throw new AssertionError("cannot run " + golden);
        };
    StableDiffusionPipeline pipeline = pipeline(model);
    PromptOptions options = PromptOptions.of(PromptSyntax.COMPEL).withWeighting(weighting);
    GenerationRequest request =
        GenerationRequest.prompt(golden.get("prompt").asText())
            .text(TextOptions.DEFAULT.withPrompt(options))
            .build()
            .resolve(pipeline.facts());
    Conditioning.Input actual =
        pipeline
            .stages()
            .encoder()
            .encode(request, new Guidance.None(), new CancelToken())
            .input("encoder_hidden_states");
    try (SafetensorsFile tensors =
        SafetensorsFile.open(variant.resolve("embeddings.safetensors"))) {
      String key = golden.get("key").asText();
      assertEquals(
          tensors.info(key).shape().subList(1, 3),
          actual.rowShape().stream().map(Integer::longValue).toList());
      float[] expected = tensors.floats(key);
      double largest = 0;
      for (int i = 0; i < expected.length; i++) {
        largest = Math.max(largest, Math.abs(expected[i] - actual.values()[i]));
      }
      assertEquals(0, largest, TOLERANCE, "largest difference of " + key);
    }
  }
}
