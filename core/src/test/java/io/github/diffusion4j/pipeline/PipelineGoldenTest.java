package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.ControlPlacement;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Whole generations against diffusers, at the tolerances of the goldens' README. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PipelineGoldenTest {

  private static final double EMBEDDINGS = 1e-4;
  private static final double DECODED = 1e-3;
  private static final double PICTURE_DECIBELS = 60;
  private static final double FLOAT16_DECIBELS = 45;

  /** The reference's names of what the denoiser is told by its own. */
  private static final Map<String, String> KINDS =
      Map.of(
          "encoder_hidden_states", "prompt_embeds",
          "text_embeds", "pooled_prompt_embeds",
          "pooled_projections", "pooled_prompt_embeds");

  @TempDir static Path withoutThirdEncoder;
  @TempDir static Path composed;

  private final Map<Opened, StableDiffusionPipeline> pipelines = new HashMap<>();

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
    Path own = Goldens.resource("/goldens/control/pipelines");
    try (Stream<Path> folders = Files.list(Goldens.folder("pipelines"));
        Stream<Path> more = Files.list(own)) {
      List<DynamicNode> nodes =
          Stream.concat(folders, more)
              .filter(folder -> Files.isRegularFile(folder.resolve("cases.json")))
              .sorted()
              .map(this::variant)
              .flatMap(Stream::of)
              .collect(Collectors.toCollection(ArrayList::new));
      nodes.addAll(weights());
      assertFalse(nodes.isEmpty(), "no variants in " + Goldens.folder("pipelines"));
      return nodes;
    }
  }

  /** Cases that are painted by networks built from weights, and some by exports of these. */
  private List<DynamicNode> weights() throws IOException {
    List<DynamicNode> nodes = new ArrayList<>();
    for (WeightsFolder weights : WeightsFolder.of(Goldens.folder("pipelines"), composed)) {
      List<PipelineCase> goldens = PipelineCase.of(weights.variant());
      List<DynamicTest> cases = new ArrayList<>();
      if (!weights.float16()) {
        for (PipelineCase golden : goldens) {
          cases.add(
              DynamicTest.dynamicTest(
                  "weights: " + golden.name(), () -> check(weights.composed(golden))));
        }
      }
      PipelineCase first = goldens.get(0);
      cases.add(
          DynamicTest.dynamicTest("export: " + first.name(), () -> check(weights.exported(first))));
      nodes.add(
          DynamicContainer.dynamicContainer(
              "weights of " + weights.variant().getFileName(), cases));
    }
    return nodes;
  }

  private void check(PipelineCase golden) throws IOException {
    check(golden, ControlPlacement.SEPARATE);
  }

  private DynamicNode[] variant(Path folder) {
    try {
      List<DynamicTest> cases = PipelineCase.of(folder).stream().flatMap(this::tests).toList();
      return cases.isEmpty()
          ? new DynamicNode[0]
          : new DynamicNode[] {
            DynamicContainer.dynamicContainer(folder.getFileName().toString(), cases)
          };
    } catch (IOException e) {
      throw new IllegalStateException(folder.toString(), e);
    }
  }

  /** Control networks run separately and merged. */
  private Stream<DynamicTest> tests(PipelineCase golden) {
    DynamicTest separate = DynamicTest.dynamicTest(golden.name(), () -> check(golden));
    return golden.task().pipeline().contains("ControlNet")
        ? Stream.of(
            separate,
            DynamicTest.dynamicTest(
                golden.name() + " merged", () -> check(golden, ControlPlacement.MERGED)))
        : Stream.of(separate);
  }

  private record Opened(Path model, ControlPlacement placement) {
    StableDiffusionPipeline pipeline() {
      try {
        return StableDiffusionPipeline.load(
            model, RuntimeOptions.builder().intraOpThreads(1).controls(placement).build());
      } catch (IOException e) {
        throw new IllegalStateException(model.toString(), e);
      }
    }
  }

  private void check(PipelineCase golden, ControlPlacement placement) throws IOException {
    try (SafetensorsFile tensors = golden.tensors()) {
      Path model = model(golden, tensors);
      StableDiffusionPipeline pipeline =
          pipelines.computeIfAbsent(new Opened(model, placement), Opened::pipeline);
      GenerationRequest request = golden.request(pipeline.facts());
      GenerationRequest resolved =
          request.init().prepare(request, pipeline.stages()).resolve(pipeline.facts());
      checkSchedule(golden, resolved, pipeline.stages());
      checkTokens(golden, model, resolved, tensors);
      Recording recording = new Recording();
      RecordingStages networks = new RecordingStages(pipeline.stages());
      GenerationResult result =
          StableDiffusionPipeline.of(networks.stages()).generate(request, recording);
      checkPictures(golden, result);
      if (golden.float16()) {
        return; // the goldens are the float32 reference's: only the pictures can be compared
      }
      checkConditioning(golden, resolved, pipeline.stages(), tensors);
      new NetworkChecks(golden, tensors).check(resolved, networks);
      checkLatents(golden, recording, tensors);
      if (golden.has(tensors, "decoded")) {
        close("decoded", tensors.floats(golden.stored("decoded")), recording.image, DECODED);
      }
    }
  }

  /** Where the reference ran without the third text encoder, a copy of the model that has none. */
  private Path model(PipelineCase golden, SafetensorsFile tensors) throws IOException {
    boolean third = Files.isDirectory(golden.model().resolve("text_encoder_3"));
    if (!third || golden.has(tensors, "input_ids_3")) {
      return golden.model();
    }
    Path copy = withoutThirdEncoder.resolve(golden.variant().getFileName());
    if (!Files.exists(copy)) {
      ModelCopy.of(golden.model(), copy).dropComponents("text_encoder_3", "tokenizer_3");
    }
    return copy;
  }

  private static LatentShape shape(GenerationRequest request, Stages stages) {
    int factor = stages.codec().factor();
    return new LatentShape(
        request.images(),
        stages.codec().latentChannels(),
        request.height().orElseThrow() / factor,
        request.width().orElseThrow() / factor);
  }

  private static void checkSchedule(PipelineCase golden, GenerationRequest request, Stages stages) {
    StepPlan plan =
        request.init().plan(stages.rules().plan(request, shape(request, stages)), stages.rules());
    StepPlan.Options options = plan.options();
    StepPlan whole =
        plan.with(
            new StepPlan.Options(
                StepPlan.Options.DEFAULT.start(),
                OptionalDouble.empty(),
                options.shift(),
                options.originalSteps(),
                options.distilledStrength()));
    SchedulerRun run = golden.scheduler().start(whole, new SampleShape(1, 16), new TorchNoise(0));
    assertArrayEquals(golden.timesteps(), run.timesteps(), 1e-3, "timesteps");
    if (golden.initNoiseSigma().isPresent()) {
      assertEquals(
          golden.initNoiseSigma().getAsDouble(), run.initNoiseSigma(), 1e-5, "init_noise_sigma");
    }
  }

  /** Ids of every text encoder; the reference tokenizes negative prompts also when unguided. */
  private static void checkTokens(
      PipelineCase golden, Path model, GenerationRequest request, SafetensorsFile tensors)
      throws IOException {
    TextOptions text = request.text();
    Map<String, List<List<String>>> texts =
        Map.of(
            "",
            List.of(request.prompts(), request.negativePrompts()),
            "_2",
            List.of(
                or(text.prompts2(), request.prompts()),
                or(text.negativePrompts2(), request.negativePrompts())),
            "_3",
            List.of(
                or(text.prompts3(), request.prompts()),
                or(text.negativePrompts3(), request.negativePrompts())));
    boolean alone = !Files.isDirectory(model.resolve("tokenizer"));
    for (String suffix : List.of("", "_2", "_3")) {
      List<List<String>> both = texts.get(alone ? "" : suffix);
      Path folder = model.resolve("tokenizer" + suffix);
      checkIds(golden, "input_ids" + suffix, folder, both.get(0), tensors);
      checkIds(golden, "negative_input_ids" + suffix, folder, both.get(1), tensors);
    }
  }

  private static List<String> or(List<String> texts, List<String> otherwise) {
    return texts.isEmpty() ? otherwise : texts;
  }

  /** None or one text stand for as many as the reference has rows. */
  private static void checkIds(
      PipelineCase golden, String name, Path folder, List<String> texts, SafetensorsFile tensors)
      throws IOException {
    if (!golden.has(tensors, name)) {
      return;
    }
    List<Long> shape = tensors.info(golden.stored(name)).shape();
    int rows = shape.get(0).intValue();
    List<String> all =
        texts.size() == rows
            ? texts
            : Collections.nCopies(rows, texts.isEmpty() ? "" : texts.get(0));
    try (Tokenizer tokenizer = Tokenizers.load(folder)) {
      long[] ids =
          all.stream()
              .map(text -> tokenizer.encode(text, shape.get(1).intValue()).toLongArray())
              .flatMapToLong(Arrays::stream)
              .toArray();
      assertArrayEquals(tensors.longs(golden.stored(name)), ids, name);
    }
  }

  /** Text embeddings, and whatever else the denoiser is told in its first call. */
  private static void checkConditioning(
      PipelineCase golden, GenerationRequest request, Stages stages, SafetensorsFile tensors) {
    Guidance guidance = stages.rules().guidance(request);
    Conditioning conditioning = stages.encoder().encode(request, guidance, new CancelToken());
    for (Conditioning.Input input : conditioning.inputs()) {
      String name = input.name();
      float[] values = input.values();
      int branch = values.length / guidance.branches();
      float[] prompt = Arrays.copyOfRange(values, values.length - branch, values.length);
      String kind = KINDS.getOrDefault(name, "");
      if (golden.has(tensors, kind)) {
        close(kind, tensors.floats(golden.stored(kind)), prompt, EMBEDDINGS);
      }
      if (guidance.branches() > 1 && golden.has(tensors, "negative_" + kind)) {
        float[] negative = Arrays.copyOf(values, branch);
        String stored = golden.stored("negative_" + kind);
        close("negative_" + kind, tensors.floats(stored), negative, EMBEDDINGS);
      }
      String told = "denoiser_first." + name;
      if (golden.has(tensors, told)) {
        float[] expected = tensors.floats(golden.stored(told));
        // A reference that calls the network once for each branch keeps the prompt's call.
        boolean all = expected.length == values.length;
        close(told, expected, all ? values : prompt, EMBEDDINGS);
      }
    }
  }

  private static void checkLatents(
      PipelineCase golden, Recording recording, SafetensorsFile tensors) {
    float[] steps = tensors.floats(golden.stored("latents_steps"));
    double limit = Math.max(1e-3, 1e-4 * max(steps));
    if (tensors.info(golden.stored("latents_steps")).shape().size() == 4) {
      recording.pack(); // [steps, images, patches, values]
    }
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
