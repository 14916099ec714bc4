package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.family.MemoryNeeds;
import io.github.diffusion4j.family.MemoryNeeds.Work;
import io.github.diffusion4j.family.MemoryPlan;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.NativeCount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Estimates, the plans chosen by them, and what is refused. */
class MemoryLimitTest {

  private static final int SIDE = 256;
  private static final Work WORK = new Work(SIDE, SIDE, 1, 2);
  private static final GenerationRequest REQUEST =
      GenerationRequest.prompt("a small cat").steps(1).size(SIDE, SIDE).seed(3).build();

  /** So small that weights count for more than intermediate results, as in real models. */
  private static final Work SMALL = new Work(64, 64, 1, 2);

  private MemoryNeeds needs;
  private int openBefore;

  @BeforeEach
  void read() throws IOException {
    needs = MemoryNeeds.of(ModelLayout.of(ModelCopy.original()));
    openBefore = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  private static StableDiffusionPipeline load(RuntimeOptions.Builder options) throws IOException {
    return StableDiffusionPipeline.load(ModelCopy.original(), options.intraOpThreads(1).build());
  }

  private long peak(Residency residency, BranchBatching batching) {
    return peak(residency, batching, WORK);
  }

  private long peak(Residency residency, BranchBatching batching, Work work) {
    return needs.peak(new MemoryPlan(residency, batching, false), work);
  }

  @Test
  void plansAreOrderedByWhatTheyTake() {
    long all = peak(Residency.ALL, BranchBatching.TOGETHER, SMALL);
    long separate = peak(Residency.ALL, BranchBatching.ONE_BY_ONE, SMALL);
    long onDemand = peak(Residency.ON_DEMAND, BranchBatching.TOGETHER, SMALL);
    assertTrue(all > separate && separate > onDemand, all + " " + separate + " " + onDemand);
    for (MemoryPlan plan : MemoryPlan.ALL) {
      MemoryPlan tiled = new MemoryPlan(plan.residency(), plan.batching(), true);
      assertTrue(
          needs.peak(tiled, new Work(1024, 1024, 1, 2))
              <= needs.peak(plan, new Work(1024, 1024, 1, 2)));
    }
    assertEquals(
        Set.of("text_encoder", "vae_encoder", "unet", "vae_decoder"), needs.weights().keySet());
  }

  @Test
  void fastestPlanThatFitsIsTaken() throws IOException {
    GenerationRequest small = REQUEST.toBuilder().size(SMALL.width(), SMALL.height()).build();
    try (StableDiffusionPipeline pipeline =
        load(
            RuntimeOptions.builder()
                .memoryLimit(peak(Residency.ALL, BranchBatching.TOGETHER, SMALL)))) {
      assertTrue(NativeCount.open() > openBefore, "networks are resident");
      assertEquals(BranchBatching.TOGETHER, batching(pipeline, small));
      assertTrue(NativeCount.open() > openBefore);
    }
    long limit = peak(Residency.ALL, BranchBatching.ONE_BY_ONE, SMALL);
    try (StableDiffusionPipeline pipeline = load(RuntimeOptions.builder().memoryLimit(limit))) {
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, small));
      assertTrue(NativeCount.open() > openBefore);
    }
    limit = peak(Residency.ON_DEMAND, BranchBatching.TOGETHER, SMALL);
    try (StableDiffusionPipeline pipeline = load(RuntimeOptions.builder().memoryLimit(limit))) {
      assertEquals(BranchBatching.TOGETHER, batching(pipeline, small));
      assertEquals(openBefore, NativeCount.open(), "networks are closed after a picture");
    }
  }

  private static BranchBatching batching(
      StableDiffusionPipeline pipeline, GenerationRequest request) {
    return pipeline.generate(request).provenance().request().batching();
  }

  @Test
  void explicitResidencyIsKept() throws IOException {
    long limit = peak(Residency.ON_DEMAND, BranchBatching.ONE_BY_ONE);
    try (StableDiffusionPipeline pipeline =
        load(RuntimeOptions.builder().memoryLimit(limit).residency(Residency.ALL))) {
      IllegalArgumentException thrown =
          assertThrows(IllegalArgumentException.class, () -> pipeline.generate(REQUEST));
      assertTrue(thrown.getMessage().contains("all networks resident"), thrown.getMessage());
    }
  }

  @Test
  void whatFitsUnderNoPlanIsRefusedWithNumbers() throws IOException {
    try (StableDiffusionPipeline pipeline =
        load(RuntimeOptions.builder().memoryLimit(MemoryNeeds.BASE + (1 << 20)))) {
      IllegalArgumentException thrown =
          assertThrows(IllegalArgumentException.class, () -> pipeline.generate(REQUEST));
      assertTrue(thrown.getMessage().contains("256 x 256"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("limit is 351 MiB"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("networks on demand"), thrown.getMessage());
    }
  }

  @Test
  void decoderGetsWhatNetworksAndDenoiserLeave() throws IOException {
    MemoryPlan whole = new MemoryPlan(Residency.ON_DEMAND, BranchBatching.ONE_BY_ONE, false);
    long limit = needs.peak(whole, new Work(512, 512, 1, 2));
    GenerationRequest large = REQUEST.toBuilder().size(512, 512).build();
    assertEquals(1, tiles(RuntimeOptions.builder().memoryLimit(limit), large));
    MemoryPlan tiled = new MemoryPlan(Residency.ALL, BranchBatching.ONE_BY_ONE, true);
    limit = needs.peak(tiled, new Work(384, 384, 4, 2));
    GenerationRequest several = REQUEST.toBuilder().size(384, 384).imagesPerPrompt(4).build();
    var resident = RuntimeOptions.builder().memoryLimit(limit).residency(Residency.ALL);
    assertTrue(tiles(resident, several) > 1, "the denoiser's memory leaves room for tiles only");
  }

  private static int tiles(RuntimeOptions.Builder options, GenerationRequest request)
      throws IOException {
    try (StableDiffusionPipeline pipeline = load(options)) {
      return pipeline.generate(request).provenance().execution().decoding().tiles();
    }
  }

  @Test
  void branchesOfJoinedPromptsCount() throws IOException {
    GenerationRequest joined =
        GenerationRequest.prompt("a cat AND a hat AND a house")
            .text(TextOptions.DEFAULT.withPrompt(PromptOptions.of(PromptSyntax.WEB_UI)))
            .steps(1)
            .size(SIDE, SIDE)
            .seed(3)
            .build();
    long limit = peak(Residency.ALL, BranchBatching.TOGETHER); // of two branches, not four
    try (StableDiffusionPipeline pipeline =
        load(RuntimeOptions.builder().memoryLimit(limit).residency(Residency.ALL))) {
      assertEquals(
          BranchBatching.ONE_BY_ONE, pipeline.generate(joined).provenance().request().batching());
    }
  }

  @Test
  void theSafetyCheckerCountsUnlessItIsOff(@TempDir Path folder) throws IOException {
    ModelCopy copy = SafetyCheckTest.withChecker(folder.resolve("model"));
    ModelLayout model = ModelLayout.of(copy.folder());
    MemoryNeeds checked = MemoryNeeds.of(model, withSafety(SafetyPolicy.BLACK));
    long checker = checked.weights().get("safety_checker");
    assertTrue(checker > 0);
    assertEquals(checked, MemoryNeeds.of(model), "as it is by default");
    assertEquals(needs, MemoryNeeds.of(model, withSafety(SafetyPolicy.OFF)));
    assertEquals(needs.alwaysResident() + checker, checked.alwaysResident());
    MemoryPlan all = new MemoryPlan(Residency.ALL, BranchBatching.TOGETHER, false);
    assertEquals(needs.peak(all, WORK) + checker, checked.peak(all, WORK));

    RuntimeOptions.Builder options =
        RuntimeOptions.builder().memoryLimit(needs.peak(all, WORK)).residency(Residency.ALL);
    for (SafetyPolicy policy : List.of(SafetyPolicy.OFF, SafetyPolicy.BLACK)) {
      try (StableDiffusionPipeline pipeline =
          StableDiffusionPipeline.load(copy.folder(), options.safety(policy).build())) {
        assertEquals(
            policy == SafetyPolicy.OFF ? BranchBatching.TOGETHER : BranchBatching.ONE_BY_ONE,
            batching(pipeline, REQUEST));
      }
    }
    copy.edit("model_index.json", "[\"diffusers\", \"OnnxRuntimeModel\"", "[null, null");
    assertEquals(needs, MemoryNeeds.of(ModelLayout.of(copy.folder())), "it is not named");
  }

  @Test
  void controlNetworksFromElsewhereCount() throws IOException {
    Path model = Goldens.resource("/goldens/control/pipelines/controlnet-several/model");
    MemoryNeeds own = MemoryNeeds.of(ModelLayout.of(model));
    Map<String, Path> nets = Map.of("edges", model.resolve("controlnet"));
    MemoryNeeds more = MemoryNeeds.of(ModelLayout.of(model).withControlNets(nets));
    assertEquals(own.alwaysResident() + own.weights().get("controlnet"), more.alwaysResident());
    MemoryPlan onDemand = new MemoryPlan(Residency.ON_DEMAND, BranchBatching.TOGETHER, false);
    Work large = new Work(1024, 1024, 1, 2);
    assertTrue(more.peak(onDemand, large) > own.peak(onDemand, large), "the denoiser's part");
  }

  /** Where all stay open, also for later generations that reuse nothing. */
  @Test
  void whatFeatureReuseOpensCounts(@TempDir Path folder) throws IOException {
    Path place = FeatureReuseGoldenTest.model("two-layers", folder);
    ModelLayout layout = ModelLayout.of(place);
    MemoryNeeds needed =
        MemoryNeeds.of(layout).reusing(layout, RuntimeOptions.defaults(), FeatureReuse.every(2));
    MemoryPlan separate = new MemoryPlan(Residency.ALL, BranchBatching.ONE_BY_ONE, false);
    RuntimeOptions options =
        RuntimeOptions.builder()
            .intraOpThreads(1)
            .residency(Residency.ALL)
            .loraInputs(LoraInputs.ALWAYS)
            .memoryLimit(needed.peak(separate, WORK))
            .build();
    GenerationRequest reusing =
        REQUEST.toBuilder().steps(2).featureReuse(FeatureReuse.every(2)).build();
    GenerationRequest odd = reusing.toBuilder().featureReuse(new FeatureReuse(2, 99)).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(place, options)) {
      assertEquals(BranchBatching.TOGETHER, batching(pipeline, REQUEST));
      String said =
          assertThrows(IllegalArgumentException.class, () -> pipeline.generate(odd)).getMessage();
      assertTrue(said.contains("must be in [0, 5]"), said);
      assertEquals(BranchBatching.TOGETHER, batching(pipeline, REQUEST), "nothing was opened");
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, reusing));
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, REQUEST));
      Path file = folder.resolve("lora.safetensors");
      new RandomLora(1, new Random(1)).write(file, place, name -> name.contains("attn"), "unet");
      GenerationRequest changed = REQUEST.toBuilder().steps(2).loras(Lora.of(file)).build();
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, changed));
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, REQUEST));
    }
  }

  @Test
  void whatLorasHaveOpenedCounts() throws IOException {
    Path model = Goldens.folder("pipelines").resolve("sd15-clip-skip/model");
    Lora lora = Lora.of(Goldens.folder("pipelines").resolve("weights/lora_kohya.safetensors"));
    MemoryPlan together = new MemoryPlan(Residency.ALL, BranchBatching.TOGETHER, false);
    long limit = MemoryNeeds.of(ModelLayout.of(model)).peak(together, WORK);
    RuntimeOptions options =
        RuntimeOptions.builder()
            .intraOpThreads(1)
            .residency(Residency.ALL)
            .memoryLimit(limit)
            .build();
    GenerationRequest changed = REQUEST.toBuilder().steps(2).loras(lora).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model, options)) {
      assertEquals(BranchBatching.TOGETHER, batching(pipeline, REQUEST));
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, changed));
      assertEquals(BranchBatching.ONE_BY_ONE, batching(pipeline, REQUEST), "they stay open");
    }
  }

  private static RuntimeOptions withSafety(SafetyPolicy policy) {
    return RuntimeOptions.builder().safety(policy).build();
  }
}
