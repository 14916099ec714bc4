package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Whole generations that reuse features, against the same cut of diffusers' modules. */
class FeatureReuseGoldenTest {

  private static final float TOLERANCE = 1e-4f;
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Path GOLDENS = Goldens.folder("feature-reuse");

  @TempDir Path place;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @TestFactory
  List<DynamicTest> everyStepIsThatOfTheReference() throws IOException {
    JsonNode golden = JSON.readTree(GOLDENS.resolve("cases.json").toFile());
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode test : golden.path("cases")) {
      tests.add(DynamicTest.dynamicTest(test.path("name").asText(), () -> check(golden, test)));
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private void check(JsonNode golden, JsonNode test) throws IOException {
    float[] expected;
    try (SafetensorsFile file = SafetensorsFile.open(GOLDENS.resolve("latents.safetensors"))) {
      expected = file.floats(test.path("name").asText());
    }
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    Path model = model(test.path("model").asText(), place);
    RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model, options)) {
      for (BranchBatching batching : BranchBatching.values()) {
        Recording recording = new Recording();
        pipeline.generate(request(golden, test).toBuilder().batching(batching).build(), recording);
        int steps = recording.steps.size();
        assertEquals(test.path("calls").asInt(), steps);
        for (int step = 0; step < steps; step++) {
          int each = expected.length / steps;
          float[] wanted = Arrays.copyOfRange(expected, step * each, (step + 1) * each);
          assertArrayEquals(
              wanted, recording.steps.get(step), TOLERANCE, batching + ", step " + step);
        }
      }
    }
  }

  private static GenerationRequest request(JsonNode golden, JsonNode test) {
    int side = golden.path("side").asInt();
    return GenerationRequest.prompt(golden.path("prompt").asText())
        .negativePrompt(golden.path("negative_prompt").asText())
        .scheduler(
            Schedulers.fromConfig(
                JSON.convertValue(
                    test.path("scheduler"), new TypeReference<Map<String, Object>>() {})))
        .steps(golden.path("steps").asInt())
        .size(side, side)
        .guidanceScale(golden.path("guidance_scale").asDouble())
        .seed(golden.path("seed").asLong())
        .featureReuse(new FeatureReuse(test.path("interval").asInt(), test.path("branch").asInt()))
        .build();
  }

  /** A model of weights with what exports have beside, and perhaps another UNet. */
  static Path model(String name, Path place) throws IOException {
    Path pipelines = Goldens.folder("pipelines");
    boolean xl = name.equals("sdxl");
    Path folder = place.resolve(name);
    if (Files.exists(folder)) {
      return folder;
    }
    ModelCopy copy = ModelCopy.of(pipelines.resolve("weights").resolve(xl ? name : "sd15"), folder);
    for (String tokenizer : xl ? List.of("tokenizer", "tokenizer_2") : List.of("tokenizer")) {
      Path original = pipelines.resolve(xl ? "sdxl/model" : "sd15-clip-skip/model");
      ModelCopy.of(original.resolve(tokenizer), copy.file(tokenizer));
    }
    if (name.equals("two-layers")) {
      copy.dropFolder("unet");
      ModelCopy.of(GOLDENS.resolve("unet"), copy.file("unet"));
    }
    return folder;
  }
}
