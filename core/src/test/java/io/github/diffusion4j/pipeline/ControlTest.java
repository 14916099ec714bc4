package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.Control;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Laws of steering by pictures, on the tiny model with two control networks. */
class ControlTest {

  private static final Path MODEL = variant("control/pipelines/controlnet-several");
  private static final RuntimeOptions ONE_THREAD =
      RuntimeOptions.builder().intraOpThreads(1).build();

  private static final RuntimeOptions MERGED =
      ONE_THREAD.toBuilder().controls(RuntimeOptions.ControlPlacement.MERGED).build();

  private static StableDiffusionPipeline pipeline;

  @TempDir Path folder;
  private int before;

  @BeforeAll
  static void load() throws IOException {
    int none = NativeCount.open();
    pipeline = StableDiffusionPipeline.load(MODEL, ONE_THREAD);
    int loaded = NativeCount.open() - none;
    latents(pipeline, request());
    assertEquals(
        loaded, NativeCount.open() - none, "a request without controls opens no control network");
    latents(pipeline, request().controls(control(1), control(2)));
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  @BeforeEach
  void count() {
    before = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  private static Path variant(String name) {
    return Goldens.resource("/goldens/" + name + "/model");
  }

  /** Noise of a seed as a picture. */
  private static Control control(long seed) {
    return new Control(pictures(seed, 1));
  }

  private static Pictures pictures(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count * 3 * 32 * 32];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return Pictures.of(new ImageTensor(values, count, 32, 32));
  }

  private static GenerationRequestBuilder request() {
    return GenerationRequest.prompt("a house").size(32, 32).steps(3).seed(5);
  }

  private static float[] latents(
      StableDiffusionPipeline pipeline, GenerationRequestBuilder request) {
    Recording recording = new Recording();
    pipeline.generate(request.build(), recording);
    return recording.steps.get(recording.steps.size() - 1);
  }

  private static void assertClose(float[] expected, float[] actual) {
    double limit = 1e-4 * PipelineGoldenTest.max(expected);
    PipelineGoldenTest.close("latents", expected, actual, limit);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void branchesOneByOneSeeTheSameControls(boolean guess) {
    GenerationRequestBuilder request =
        GenerationRequest.prompts(List.of("a house", "a tree"))
            .size(32, 32)
            .steps(3)
            .seed(5)
            .controls(
                new Control(pictures(1, 2)).between(0, 0.7),
                control(2).withScale(0.5).between(0.3, 1))
            .guessMode(guess);
    float[] together = latents(pipeline, request);
    float[] oneByOne = latents(pipeline, request.batching(BranchBatching.ONE_BY_ONE));
    assertClose(together, oneByOne);
  }

  @Test
  void controlOfScaleZeroIsNone() {
    float[] without = latents(pipeline, request());
    assertArrayEquals(without, latents(pipeline, request().controls(control(1).withScale(0))), 0f);
    float[] with = latents(pipeline, request().controls(control(1)));
    assertFalse(Arrays.equals(without, with), "a control changes the picture");
  }

  @Test
  void eachControlGoesToItsOwnNetwork() {
    float[] second = latents(pipeline, request().controls(control(1).withNet("controlnet_1")));
    float[] both = latents(pipeline, request().controls(control(2).withScale(0), control(1)));
    assertArrayEquals(second, both, 0f);
    float[] first = latents(pipeline, request().controls(control(1)));
    assertFalse(Arrays.equals(first, second), "the networks differ");
  }

  @Test
  void promptsEditedOverStepsKeepTheControlsSteps() {
    Control late = control(1).between(0.6, 1);
    var edited =
        GenerationRequest.prompt("a [house:tree:0.5]")
            .size(32, 32)
            .steps(4)
            .seed(5)
            .text(TextOptions.DEFAULT.withPrompt(PromptOptions.of(PromptSyntax.WEB_UI)))
            .controls(late);
    Recording with = new Recording();
    pipeline.generate(edited.build(), with);
    Recording without = new Recording();
    pipeline.generate(edited.controls().build(), without);
    for (int step = 0; step < 4; step++) {
      boolean same = Arrays.equals(with.steps.get(step), without.steps.get(step));
      assertEquals(step < 3, same, "the control's only step is the last one, this is " + step);
    }
  }

  @Test
  void networkFromElsewhereIsTheSame() throws IOException {
    ModelCopy copy = ModelCopy.of(MODEL, folder.resolve("model"));
    copy.dropFolder("controlnet");
    copy.dropFolder("controlnet_1");
    ModelLayout layout =
        ModelLayout.of(copy.folder()).withControlNets(Map.of("edges", MODEL.resolve("controlnet")));
    try (StableDiffusionPipeline other = StableDiffusionPipeline.load(layout, ONE_THREAD)) {
      assertArrayEquals(
          latents(pipeline, request().controls(control(1))),
          latents(other, request().controls(control(1).withNet("edges"))),
          0f);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "false, TOGETHER",
    "true, TOGETHER",
    "false, ONE_BY_ONE",
    "true, ONE_BY_ONE",
  })
  void mergedNetworksGiveTheSame(boolean guess, BranchBatching batching) throws IOException {
    GenerationRequestBuilder request =
        request()
            .batching(batching)
            .guessMode(guess)
            .controls(control(1).between(0, 0.7), control(2).withScale(0.5).between(0.3, 0.7));
    try (StableDiffusionPipeline merged = StableDiffusionPipeline.load(MODEL, MERGED)) {
      Recording separately = new Recording();
      pipeline.generate(request.build(), separately);
      Recording together = new Recording();
      merged.generate(request.build(), together);
      for (int step = 0; step < 3; step++) {
        float[] expected = separately.steps.get(step);
        double limit = 1e-5 * PipelineGoldenTest.max(expected);
        PipelineGoldenTest.close("step " + step, expected, together.steps.get(step), limit);
      }
    }
  }

  @Test
  void mergedNetworksMayBeLinksToFilesElsewhere() throws IOException {
    ModelCopy copy = ModelCopy.of(MODEL, folder.resolve("model"));
    Path blobs = Files.createDirectories(folder.resolve("blobs"));
    for (String name : List.of("unet", "controlnet")) {
      Path file = copy.file(name + "/model.onnx");
      Files.move(file, blobs.resolve(name));
      Files.createSymbolicLink(file, Path.of("..", "..", "blobs", name));
    }
    try (StableDiffusionPipeline linked = StableDiffusionPipeline.load(copy.folder(), MERGED)) {
      assertClose(
          latents(pipeline, request().controls(control(1))),
          latents(linked, request().controls(control(1))));
    }
  }

  @Test
  void optimizedCopiesWithControlNetworksOfOneNameAreKeptTogether() throws IOException {
    Path cache = folder.resolve("cache");
    RuntimeOptions options = MERGED.toBuilder().optimizedModelCache(cache).build();
    Set<Path> first = Set.of();
    for (int i = 0; i < 2; i++) {
      for (String net : List.of("controlnet", "controlnet_1")) {
        ModelLayout layout =
            ModelLayout.of(MODEL).withControlNets(Map.of("edges", MODEL.resolve(net)));
        try (StableDiffusionPipeline merged = StableDiffusionPipeline.load(layout, options)) {
          latents(merged, request().controls(control(1).withNet("edges")));
        }
      }
      Set<Path> kept = new TreeSet<>();
      try (Stream<Path> entries = Files.list(cache)) {
        for (Path entry : entries.toList()) {
          if (Files.readString(entry.resolve("origin.txt")).contains("unet with edges")) {
            kept.add(entry);
          }
        }
      }
      assertEquals(2, kept.size());
      first = i == 0 ? kept : first;
      assertEquals(first, kept);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = RuntimeOptions.ControlPlacement.class,
      names = {"SEPARATE", "MERGED"})
  void networksBuiltFromWeightsAreSteeredToo(RuntimeOptions.ControlPlacement placement)
      throws IOException {
    ModelCopy copy = modelOfWeights();
    RuntimeOptions options = ONE_THREAD.toBuilder().controls(placement).build();
    try (StableDiffusionPipeline built = StableDiffusionPipeline.load(copy.folder(), options)) {
      assertClose(latents(pipeline, request()), latents(built, request()));
      GenerationRequestBuilder steered = request().controls(control(1)).guessMode(true);
      assertClose(latents(pipeline, steered), latents(built, steered));
    }
  }

  private ModelCopy modelOfWeights() throws IOException {
    ModelCopy copy = ModelCopy.of(MODEL, folder.resolve("model"));
    copy.dropFolder("controlnet_1");
    for (String name : List.of("unet", "controlnet")) {
      copy.dropFolder(name);
      ModelCopy.of(Goldens.resource("/goldens/control/weights/" + name), copy.file(name));
    }
    return copy;
  }

  @ParameterizedTest
  @CsvSource({
    "SEPARATE, ALWAYS, attn",
    "SEPARATE, ALWAYS, ''",
    "SEPARATE, ON_DEMAND, attn",
    "MERGED, ALWAYS, attn",
    "MERGED, ALWAYS, ''",
    "MERGED, ON_DEMAND, ''"
  })
  void networksChangedByLorasAreSteeredToo(
      RuntimeOptions.ControlPlacement placement, LoraInputs inputs, String layers)
      throws IOException {
    ModelCopy copy = modelOfWeights();
    Path file = folder.resolve("lora.safetensors");
    new RandomLora(2, new Random(1))
        .write(file, copy.folder(), name -> name.contains(layers), "unet");
    Lora lora = Lora.of(file, 0.7);
    RuntimeOptions options = ONE_THREAD.toBuilder().controls(placement).loraInputs(inputs).build();
    GenerationRequestBuilder steered = request().controls(control(1).between(0, 0.7));
    ModelLayout layout = ModelLayout.of(copy.folder());
    try (StableDiffusionPipeline built = StableDiffusionPipeline.load(layout, options);
        StableDiffusionPipeline merged =
            StableDiffusionPipeline.load(layout.withLoras(List.of(lora)), options)) {
      float[] plain = latents(built, steered);
      float[] changed = latents(built, steered.loras(lora));
      assertFalse(Arrays.equals(plain, changed));
      assertClose(latents(merged, steered.loras()), changed);
      assertArrayEquals(plain, latents(built, steered));
    }
  }

  @Test
  void provenanceTellsTheControls() throws IOException {
    GenerationRequest request =
        request()
            .controls(control(1).withScale(0.8).between(0, 0.5), control(2).withNet("controlnet_1"))
            .guessMode(true)
            .build();
    GenerationResult result = pipeline.generate(request);
    String json = result.provenance().toJson(0);
    assertTrue(json.contains("\"controlnet_conditioning_scale\":0.8"), json);
    assertTrue(json.contains("\"net\":\"controlnet_1\""), json);
    String text = result.provenance().parameters(0).format();
    assertTrue(text.contains("ControlNet 0") && text.contains("Weight: 0.8"), text);
    Path file = folder.resolve("steered.png");
    result.save(file);
    said(() -> Provenance.readRequest(file), "control pictures");
  }

  @Test
  void unnamedControlsTakeTheNetworksThatAreLeft() {
    Control named = control(2).withNet("controlnet");
    assertArrayEquals(
        latents(pipeline, request().controls(control(1).withNet("controlnet_1"), named)),
        latents(pipeline, request().controls(control(1), named)),
        0f);
  }

  @Test
  void openSizeIsThatOfTheControl() {
    GenerationRequest request =
        GenerationRequest.prompt("a house").steps(1).seed(1).controls(control(1)).build();
    assertEquals(32, pipeline.generate(request).images().get(0).getWidth());
  }

  @Test
  void whatCannotBeSteeredIsRefused() throws IOException {
    var three = request().controls(control(1), control(2), control(3)).build();
    var named = request().controls(control(1).withNet("depth")).build();
    var many = request().controls(new Control(pictures(1, 3))).build();
    said(() -> pipeline.generate(three), "control 3", "[controlnet, controlnet_1]");
    said(() -> pipeline.generate(named), "\"depth\"");
    said(() -> pipeline.generate(many), "got 3 pictures");
    said(() -> control(1).withScale(Double.NaN), "scale", "NaN");
    said(() -> control(1).between(0.5, 0.5), "0.5 to 0.5");
    said(() -> control(1).between(0, 1.5), "1.5");
    try (StableDiffusionPipeline plain =
        StableDiffusionPipeline.load(ModelCopy.original(), ONE_THREAD)) {
      said(() -> plain.generate(request().controls(control(1)).build()), "the model has none");
    }
  }

  @Test
  void networksOfOtherModelsAreRefusedWhenOpened() throws IOException {
    Map<String, Path> nets =
        Map.of("other", variant("control/pipelines/sdxl-controlnet").resolve("controlnet"));
    ModelLayout layout = ModelLayout.of(MODEL).withControlNets(nets);
    said(() -> StableDiffusionPipeline.load(layout, ONE_THREAD).close(), "other", "text_embeds");
    ModelLayout plain = ModelLayout.of(ModelCopy.original()).withControlNets(nets);
    said(() -> StableDiffusionPipeline.load(plain, ONE_THREAD).close(), "takes no residuals");
    ModelLayout flux = ModelLayout.of(variant("pipelines/flux")).withControlNets(nets);
    said(() -> StableDiffusionPipeline.load(flux, ONE_THREAD).close(), "flux", "no ControlNet");
    ModelLayout missing = ModelLayout.of(MODEL).withControlNets(Map.of("gone", folder));
    said(() -> StableDiffusionPipeline.load(missing, ONE_THREAD).close(), "model.onnx");
  }

  private static void said(Executable work, String... parts) {
    RuntimeException thrown = assertThrows(RuntimeException.class, work);
    assertTrue(
        thrown instanceof IllegalArgumentException || thrown instanceof ModelFormatException,
        thrown.toString());
    for (String part : parts) {
      assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
    }
  }
}
