package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.GuidanceGoldenTest;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole generations with each kind of guidance against diffusers' guiders and schedulers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GuidedGenerationGoldenTest {

  private static final float TOLERANCE = 1e-3f;

  private final JsonNode golden;
  private final StableDiffusionPipeline pipeline;

  GuidedGenerationGoldenTest() throws IOException {
    golden = GuidanceGoldenTest.cases().path("generations");
    pipeline =
        StableDiffusionPipeline.load(
            Goldens.resource("/goldens/" + golden.path("model").asText()),
            RuntimeOptions.builder().intraOpThreads(1).build());
  }

  @AfterAll
  void close() {
    pipeline.close();
    assertEquals(0, NativeCount.open());
  }

  static Stream<GuidanceGoldenTest.Case> generations() throws IOException {
    return StreamSupport.stream(
            GuidanceGoldenTest.cases().path("generations").path("cases").spliterator(), false)
        .map(GuidanceGoldenTest.Case::new);
  }

  private GenerationRequestBuilder request(GuidanceGoldenTest.Case test) {
    return GenerationRequest.prompt(golden.path("prompt").asText())
        .negativePrompt(golden.path("negative_prompt").asText())
        .scheduler(golden.path("scheduler").asText())
        .steps(golden.path("steps").asInt())
        .size(golden.path("width").asInt(), golden.path("height").asInt())
        .seed(golden.path("seed").asLong())
        .guidance(test.options());
  }

  @ParameterizedTest
  @MethodSource("generations")
  void everyStepIsThatOfTheReference(GuidanceGoldenTest.Case test) throws IOException {
    for (BranchBatching batching : BranchBatching.values()) {
      Recording recording = new Recording();
      RecordingStages counted = new RecordingStages(pipeline.stages());
      try (StableDiffusionPipeline same = StableDiffusionPipeline.of(counted.stages())) {
        same.generate(request(test).batching(batching).build(), recording, new CancelToken());
      }
      assertEquals(test.branches().stream().mapToInt(Integer::intValue).sum(), counted.rows);
      try (SafetensorsFile file =
          SafetensorsFile.open(Goldens.folder("guidance").resolve("generations.safetensors"))) {
        float[] expected = file.floats(test.toString());
        int steps = recording.steps.size();
        int total = expected.length / steps;
        assertEquals(golden.path("steps").asInt(), steps);
        for (int step = 0; step < steps; step++) {
          float[] wanted = Arrays.copyOfRange(expected, step * total, (step + 1) * total);
          assertArrayEquals(wanted, recording.steps.get(step), TOLERANCE, "step " + step);
        }
      }
    }
  }
}
