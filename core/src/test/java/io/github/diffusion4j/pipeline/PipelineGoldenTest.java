package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Whole generations against diffusers, at the tolerances of the goldens' README. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PipelineGoldenTest {

  private static final double EMBEDDINGS = 1e-4;
  private static final double DECODED = 1e-3;
  private static final double PICTURE_DECIBELS = 60;
  private static final double FLOAT16_DECIBELS = 45;

  private final Map<Path, StableDiffusionPipeline> pipelines = new HashMap<>();

  @BeforeAll
  void none() {
    pipelines.clear();
  }

  @AfterAll
  void close() {
    pipelines.values().forEach(StableDiffusionPipeline::close);
  }

  @TestFactory
  List<DynamicNode> variants() throws IOException {
    try (Stream<Path> folders = Files.list(Goldens.folder("pipelines"))) {
      List<DynamicNode> nodes =
          folders
              .filter(folder -> Files.isRegularFile(folder.resolve("cases.json")))
              .sorted()
              .map(this::variant)
              .flatMap(Stream::of)
              .toList();
      assertFalse(nodes.isEmpty(), "no variants in " + Goldens.folder("pipelines"));
      return nodes;
    }
  }

  private DynamicNode[] variant(Path folder) {
    try {
      List<DynamicTest> cases =
          PipelineCase.of(folder).stream()
              .map(golden -> DynamicTest.dynamicTest(golden.name(), () -> check(golden)))
              .toList();
      return cases.isEmpty()
          ? new DynamicNode[0]
          : new DynamicNode[] {
            DynamicContainer.dynamicContainer(folder.getFileName().toString(), cases)
          };
    } catch (IOException e) {
      throw new IllegalStateException(folder.toString(), e);
    }
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

  private void check(PipelineCase golden) throws IOException {
    StableDiffusionPipeline pipeline = pipeline(golden.model());
    GenerationRequest request = golden.request(pipeline.facts());
    try (SafetensorsFile tensors = golden.tensors()) {
      checkSchedule(golden);
      checkTokens(golden, request, tensors);
      Recording recording = new Recording();
      RecordingStages networks = new RecordingStages(pipeline.stages());
      GenerationResult result =
          StableDiffusionPipeline.of(networks.stages()).generate(request, recording);
      checkPictures(golden, result);
      if (golden.float16()) {
        return; // the goldens are the float32 reference's: only the pictures can be compared
      }
      if (tensors.names().contains(golden.stored("prompt_embeds"))) {
        checkEmbeddings(golden, request, pipeline, tensors);
      }
      new NetworkChecks(golden, tensors).check(request, networks);
      checkLatents(golden, recording, tensors);
      if (tensors.names().contains(golden.stored("decoded"))) {
        close("decoded", tensors.floats(golden.stored("decoded")), recording.image, DECODED);
      }
    }
  }

  private static void checkSchedule(PipelineCase golden) {
    SchedulerRun run =
        golden.scheduler().start(golden.plan(), new SampleShape(1, 16), new TorchNoise(0));
    assertArrayEquals(golden.timesteps(), run.timesteps(), 1e-3, "timesteps");
    assertEquals(golden.initNoiseSigma(), run.initNoiseSigma(), 1e-5, "init_noise_sigma");
  }

  private static void checkTokens(
      PipelineCase golden, GenerationRequest request, SafetensorsFile tensors) throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(golden.model().resolve("tokenizer"))) {
      assertArrayEquals(
          tensors.longs(golden.stored("input_ids")),
          ids(tokenizer, request.prompts()),
          "input_ids");
      if (tensors.names().contains(golden.stored("negative_input_ids"))
          && request.guidanceScale().orElseThrow() > 1) {
        List<String> negative =
            request.negativePrompts().size() == request.prompts().size()
                ? request.negativePrompts()
                : java.util.Collections.nCopies(
                    request.prompts().size(),
                    request.negativePrompts().isEmpty() ? "" : request.negativePrompts().get(0));
        assertArrayEquals(
            tensors.longs(golden.stored("negative_input_ids")),
            ids(tokenizer, negative),
            "negative_input_ids");
      }
    }
  }

  private static long[] ids(Tokenizer tokenizer, List<String> prompts) {
    return prompts.stream()
        .flatMapToLong(prompt -> java.util.Arrays.stream(tokenizer.encode(prompt).toLongArray()))
        .toArray();
  }

  private static void checkEmbeddings(
      PipelineCase golden,
      GenerationRequest request,
      StableDiffusionPipeline pipeline,
      SafetensorsFile tensors) {
    boolean guided = request.guidanceScale().orElseThrow() > 1;
    Conditioning conditioning =
        pipeline
            .stages()
            .encoder()
            .encode(
                request.resolve(pipeline.facts()),
                pipeline.stages().rules().guidance(request),
                new CancelToken());
    float[] rows = conditioning.input("encoder_hidden_states").values();
    int half = guided ? rows.length / 2 : 0;
    if (guided) {
      float[] negative = java.util.Arrays.copyOf(rows, half);
      close(
          "negative_prompt_embeds",
          tensors.floats(golden.stored("negative_prompt_embeds")),
          negative,
          EMBEDDINGS);
    }
    float[] positive = java.util.Arrays.copyOfRange(rows, half, rows.length);
    close("prompt_embeds", tensors.floats(golden.stored("prompt_embeds")), positive, EMBEDDINGS);
  }

  private static void checkLatents(
      PipelineCase golden, Recording recording, SafetensorsFile tensors) {
    float[] steps = tensors.floats(golden.stored("latents_steps"));
    double limit = Math.max(1e-3, 1e-4 * max(steps));
    close("latents_init", tensors.floats(golden.stored("latents_init")), recording.initial, limit);
    assertEquals(
        tensors.info(golden.stored("latents_steps")).shape().get(0),
        recording.steps.size(),
        "number of steps");
    int size = recording.initial.length;
    for (int i = 0; i < recording.steps.size(); i++) {
      float[] expected = java.util.Arrays.copyOfRange(steps, i * size, (i + 1) * size);
      close("latents of step " + i, expected, recording.steps.get(i), limit);
    }
    close(
        "latents_final",
        tensors.floats(golden.stored("latents_final")),
        recording.steps.get(recording.steps.size() - 1),
        limit);
  }

  private static void checkPictures(PipelineCase golden, GenerationResult result)
      throws IOException {
    List<Path> pictures = golden.pictures();
    assertEquals(pictures.size(), result.images().size(), "number of pictures");
    for (int i = 0; i < pictures.size(); i++) {
      PictureDifference difference = PictureDifference.of(pictures.get(i), result.images().get(i));
      boolean same =
          golden.float16()
              ? difference.decibels() >= FLOAT16_DECIBELS
              : difference.largest() <= 1 && difference.decibels() >= PICTURE_DECIBELS;
      assertTrue(same, pictures.get(i).getFileName() + ": " + difference);
    }
  }

  static double max(float[] values) {
    double max = 0;
    for (float value : values) {
      max = Math.max(max, Math.abs(value));
    }
    return max;
  }

  static void close(String what, float[] expected, float[] actual, double limit) {
    assertEquals(expected.length, actual.length, what + ": number of values");
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= limit)) {
        throw new AssertionError(
            "%s: value %d of %d is %s, expected %s within %s"
                .formatted(what, i, expected.length, actual[i], expected[i], limit));
      }
    }
  }
}
