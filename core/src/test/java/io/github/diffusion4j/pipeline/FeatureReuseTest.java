package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.UNet;
import io.github.diffusion4j.graph.WeightSource;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws of reusing features from step to step, on tiny models of weights. */
class FeatureReuseTest {

  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();
  private static final float GUIDANCE = 4;
  private static final int STEPS = 7;
  private static final int ONE_SESSION = 2; // itself and its options
  private static final LatentShape SHAPE = new LatentShape(1, 4, 6, 8);

  @TempDir Path place;
  private Path model;
  private int before;

  @BeforeEach
  void compose() throws IOException {
    before = NativeCount.open();
    model = FeatureReuseGoldenTest.model("two-layers", place);
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  private static GenerationRequestBuilder request() {
    return GenerationRequest.prompt("a cat")
        .negativePrompt("blurry")
        .size(64, 48)
        .steps(STEPS)
        .scheduler("euler")
        .guidanceScale(GUIDANCE)
        .seed(3);
  }

  private StableDiffusionPipeline load() throws IOException {
    return StableDiffusionPipeline.load(model, OPTIONS);
  }

  static List<float[]> paint(StableDiffusionPipeline pipeline, GenerationRequestBuilder request) {
    Recording recording = new Recording();
    pipeline.generate(request.build(), recording);
    return recording.steps;
  }

  static void assertSame(List<float[]> expected, List<float[]> found, double tolerance) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      float limit = (float) (tolerance * PipelineGoldenTest.max(expected.get(i)));
      assertArrayEquals(expected.get(i), found.get(i), limit, "step " + i);
    }
  }

  @Test
  void intervalOneIsOffAndOpensNothing() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      List<float[]> plain = paint(pipeline, request());
      int open = NativeCount.open();
      assertSame(plain, paint(pipeline, request().featureReuse(new FeatureReuse(1, 2))), 0);
      assertEquals(open, NativeCount.open(), "sessions");
      List<float[]> reused = paint(pipeline, request().featureReuse(FeatureReuse.every(3)));
      assertEquals(open + ONE_SESSION, NativeCount.open(), "the whole network is not opened again");
      assertSame(plain.subList(0, 1), reused.subList(0, 1), 0);
      assertFalse(Arrays.equals(plain.get(1), reused.get(1)));
      open = NativeCount.open();
      paint(pipeline, request().featureReuse(FeatureReuse.every(2)));
      assertEquals(open, NativeCount.open(), "they stay for the next generation");
      assertSame(plain, paint(pipeline, request()), 0);
    }
  }

  @Test
  void cutsElsewhereAreClosedUntilTheyAreUsedAgain() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      List<float[]> first = paint(pipeline, request().featureReuse(new FeatureReuse(3, 0)));
      int open = NativeCount.open();
      for (int branch : new int[] {1, 2, 1}) {
        paint(pipeline, request().featureReuse(new FeatureReuse(3, branch)));
        assertEquals(open, NativeCount.open(), "sessions after branch " + branch);
      }
      assertSame(first, paint(pipeline, request().featureReuse(new FeatureReuse(3, 0))), 0);
      assertEquals(open, NativeCount.open());
    }
  }

  @Test
  void aCutElsewhereIsClosedAfterTheGenerationThatUsesIt() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      int open = NativeCount.open();
      GenerationRequestBuilder first = request().featureReuse(new FeatureReuse(3, 0));
      GenerationRequest second = request().featureReuse(new FeatureReuse(2, 1)).build();
      List<float[]> alone = paint(pipeline, first);
      Recording recording = new Recording();
      pipeline.generate(
          first.build(),
          event -> {
            recording.onStep(event);
            if (event.evaluation() == 1) {
              pipeline.generate(second);
            }
          });
      assertSame(alone, recording.steps, 0);
      assertEquals(open + ONE_SESSION, NativeCount.open(), "the latest cut alone");
      paint(pipeline, request().featureReuse(new FeatureReuse(3, 1)));
      assertEquals(open + ONE_SESSION, NativeCount.open());
    }
  }

  /** Optimized models are kept of the network that is always open, features and all. */
  @Test
  void optimizedModelsServeReuse() throws IOException {
    Path cache = place.resolve("cache");
    RuntimeOptions keeping = OPTIONS.toBuilder().optimizedModelCache(cache).build();
    List<float[]> expected;
    try (StableDiffusionPipeline pipeline = load()) {
      expected = paint(pipeline, request().featureReuse(FeatureReuse.every(3)));
    }
    List<String> kept = List.of();
    for (int i = 0; i < 2; i++) {
      try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model, keeping)) {
        assertSame(expected, paint(pipeline, request().featureReuse(FeatureReuse.every(3))), 0);
      }
      List<String> entries = Stream.of(cache.toFile().list()).sorted().toList();
      assertEquals(i == 0 ? entries : kept, entries);
      kept = entries;
    }
    assertEquals(3, kept.size(), "text encoder, UNet, decoder");
  }

  @Test
  void nothingIsOpenedForASizeThatIsRefused() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      int open = NativeCount.open();
      GenerationRequest odd = request().size(63, 48).featureReuse(FeatureReuse.every(3)).build();
      String said =
          assertThrows(IllegalArgumentException.class, () -> pipeline.generate(odd)).getMessage();
      assertTrue(said.contains("multiple"), said);
      assertEquals(open, NativeCount.open());
    }
  }

  /** What a generation must give: both networks run by hand, features copied between them. */
  private List<float[]> byHand(StableDiffusionPipeline pipeline, FeatureReuse reuse, int guided)
      throws IOException {
    GenerationRequest request = request().build().resolve(pipeline.facts());
    Conditioning both = told(pipeline, "a cat");
    Scheduler scheduler = request.scheduler().resolve(pipeline.facts().schedulerConfig());
    SchedulerRun run = scheduler.start(StepPlan.steps(STEPS), SHAPE.sample(), request.noise());
    float[] x = new float[SHAPE.total()];
    request.noise().fill(x);
    for (int i = 0; i < x.length; i++) {
      x[i] *= (float) run.initNoiseSigma();
    }
    OrtRuntime runtime = OrtRuntime.of(OPTIONS);
    String feature = GraphEdit.deepFeature(reuse.branch());
    GraphEdit taken = new GraphEdit.DeepFeatureInput(reuse.branch());
    List<float[]> steps = new ArrayList<>();
    Map<Integer, OrtOutput> features = new HashMap<>(); // by branches
    Map<Integer, Integer> made = new HashMap<>();
    try (OrtModel whole = runtime.open("unet", network(), List.of());
        OrtModel above = runtime.open("unet", network(), List.of(taken))) {
      for (int evaluation = 0; evaluation < STEPS; evaluation++) {
        Conditioning told = evaluation < guided ? both : both.withBranches(1);
        int period = evaluation / reuse.interval();
        Map<String, OrtOutput> kept =
            made.getOrDefault(told.branches(), -1) == period
                ? Map.of(feature, features.get(told.branches()))
                : Map.of();
        float[] in = new float[x.length];
        run.scaleInput(x, in);
        OrtModel network = kept.isEmpty() ? whole : above;
        Map<String, OrtOutput> outputs = evaluate(network, told, in, run.timestep(), kept);
        if (kept.isEmpty()) {
          features.put(told.branches(), outputs.get(feature));
          made.put(told.branches(), period);
        }
        run.step(guided(outputs.get("out_sample").values(), told.branches()), x);
        steps.add(x.clone());
      }
    }
    return steps;
  }

  private BuiltNetwork network() {
    return new BuiltNetwork(
        "unet",
        UNet.of(ConfigFile.read(model, "unet/config.json")).withDeepFeatures(),
        WeightSource.of(model.resolve("unet/diffusion_pytorch_model.safetensors")));
  }

  private static Map<String, OrtOutput> evaluate(
      OrtModel network,
      Conditioning told,
      float[] in,
      double timestep,
      Map<String, OrtOutput> kept) {
    int branches = told.branches();
    try (OrtBinding binding = network.bind(new CancelToken())) {
      float[] rows = Arrays.copyOf(in, branches * in.length);
      System.arraycopy(in, 0, rows, rows.length - in.length, in.length);
      binding.input("sample", branches, 4, SHAPE.height(), SHAPE.width()).put(rows);
      binding.input("timestep").fill(timestep);
      Conditioning.Input text = told.input("encoder_hidden_states");
      OrtTensor tensor =
          binding.input(text.name(), branches, text.rowShape().get(0), text.rowShape().get(1));
      tensor.put(text.values(), 0, 0, tensor.elements());
      kept.forEach(
          (name, deep) ->
              binding
                  .input(name, deep.dim(0), deep.dim(1), deep.dim(2), deep.dim(3))
                  .put(deep.values()));
      return binding.fetch(network.outputs().keySet());
    }
  }

  private static float[] guided(float[] out, int branches) {
    float[] prediction = Arrays.copyOfRange(out, out.length - SHAPE.total(), out.length);
    for (int i = 0; branches == 2 && i < prediction.length; i++) {
      prediction[i] = out[i] + GUIDANCE * (prediction[i] - out[i]);
    }
    return prediction;
  }

  @ParameterizedTest
  @CsvSource({"2, 0, 7", "3, 0, 7", "3, 1, 7", "2, 5, 7", "3, 0, 4", "3, 2, 0", "7, 0, 7"})
  void aGenerationIsThatOfBothNetworksByHand(int interval, int branch, int guided)
      throws IOException {
    FeatureReuse reuse = new FeatureReuse(interval, branch);
    try (StableDiffusionPipeline pipeline = load()) {
      List<float[]> expected = byHand(pipeline, reuse, guided);
      for (BranchBatching batching : BranchBatching.values()) {
        GenerationRequestBuilder request = request().featureReuse(reuse).batching(batching);
        double end = (guided + 0.5) / STEPS; // rounded down
        request.guidanceInterval(0, Math.min(1, end));
        assertSame(expected, paint(pipeline, request), 1e-5);
      }
    }
  }

  @Test
  void whatIsBoundTakesTurnsAndReusesItsOwnFeaturesOnly() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      Conditioning cat = told(pipeline, "a cat");
      Conditioning dog = told(pipeline, "a dog");
      DenoiserModel unet = pipeline.stages().denoiser();
      List<Conditioning> order = List.of(cat, dog, cat, dog, dog, cat, cat);
      List<float[]> plain = predictions(unet, order);
      List<float[]> found = predictions(unet.reusing(FeatureReuse.every(3)), order);
      // whole at first and after every third evaluation, whichever asked for these
      List<Boolean> whole = List.of(true, true, false, true, false, true, true);
      for (int i = 0; i < whole.size(); i++) {
        assertEquals(whole.get(i), close(plain.get(i), found.get(i)), "evaluation " + i);
      }
    }
  }

  private static Conditioning told(StableDiffusionPipeline pipeline, String prompt) {
    GenerationRequest request =
        GenerationRequest.prompt(prompt)
            .like(request().build())
            .negativePrompt("blurry")
            .build()
            .resolve(pipeline.facts());
    Guidance guidance = new Guidance.ClassifierFree(GUIDANCE, 0);
    return pipeline.stages().encoder().encode(request, guidance, new CancelToken());
  }

  private static List<float[]> predictions(DenoiserModel unet, List<Conditioning> order) {
    Map<Conditioning, Denoiser> bound = new HashMap<>();
    List<float[]> predictions = new ArrayList<>();
    Random random = new Random(5);
    for (Conditioning told : order) {
      float[] in = new float[SHAPE.total()];
      for (int i = 0; i < in.length; i++) {
        in[i] = (float) random.nextGaussian();
      }
      float[] out = new float[2 * in.length];
      bound
          .computeIfAbsent(
              told, c -> unet.bind(c, SHAPE, BranchBatching.TOGETHER, new CancelToken()))
          .predict(in, 900 - 100 * predictions.size(), out);
      predictions.add(out);
    }
    bound.values().forEach(Denoiser::close);
    return predictions;
  }

  private static boolean close(float[] expected, float[] found) {
    for (int i = 0; i < expected.length; i++) {
      if (Math.abs(expected[i] - found[i]) > 1e-5) {
        return false;
      }
    }
    return true;
  }

  @Test
  void aBatchIsThatOfItsImages() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      GenerationRequestBuilder request = request().featureReuse(FeatureReuse.every(3));
      List<float[]> alone = paint(pipeline, request.seed(4));
      Recording recording = new Recording();
      pipeline.generate(
          GenerationRequest.prompts(List.of("a house", "a cat"))
              .like(request.build())
              .negativePrompt("blurry")
              .seed(9, 4)
              .build(),
          recording);
      List<float[]> second = new ArrayList<>();
      recording.steps.forEach(
          step -> second.add(Arrays.copyOfRange(step, step.length / 2, step.length)));
      assertSame(alone, second, 1e-5);
    }
  }

  @Test
  void generationsAtTheSameTimeKeepTheirOwnFeatures() throws Exception {
    RuntimeOptions sharing = OPTIONS.toBuilder().batching(8, Duration.ofMillis(50)).build();
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model, sharing)) {
      int open = NativeCount.open();
      List<FeatureReuse> ways =
          List.of(FeatureReuse.every(3), new FeatureReuse(2, 1), FeatureReuse.OFF);
      List<List<float[]>> alone = new ArrayList<>();
      for (FeatureReuse reuse : ways) {
        alone.add(paint(pipeline, request().featureReuse(reuse)));
      }
      List<Callable<List<float[]>>> calls = new ArrayList<>();
      ways.forEach(reuse -> calls.add(() -> paint(pipeline, request().featureReuse(reuse))));
      List<Future<List<float[]>>> together = threads.invokeAll(calls);
      for (int i = 0; i < ways.size(); i++) {
        assertSame(alone.get(i), together.get(i).get(), 0);
      }
      assertEquals(open + ONE_SESSION, NativeCount.open(), "one cut at most stays");
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void networksThatOpenOnDemandGiveTheSameBits() throws IOException {
    RuntimeOptions onDemand = OPTIONS.toBuilder().residency(Residency.ON_DEMAND).build();
    GenerationRequestBuilder request = request().featureReuse(FeatureReuse.every(3));
    List<float[]> expected;
    try (StableDiffusionPipeline pipeline = load()) {
      expected = paint(pipeline, request);
    }
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model, onDemand)) {
      assertSame(expected, paint(pipeline, request), 0);
      assertEquals(before, NativeCount.open(), "closed after the generation");
      assertSame(expected, paint(pipeline, request), 0);
    }
  }

  @ParameterizedTest
  @EnumSource(LoraInputs.class)
  void lorasChangeBothNetworks(LoraInputs inputs) throws IOException {
    Path sd15 = FeatureReuseGoldenTest.model("sd15", place);
    Lora lora = Lora.of(Goldens.folder("pipelines").resolve("weights/lora_kohya.safetensors"));
    GenerationRequestBuilder request = request().featureReuse(FeatureReuse.every(3));
    List<float[]> merged;
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelLayout.of(sd15).withLoras(List.of(lora)), OPTIONS)) {
      merged = paint(pipeline, request);
    }
    RuntimeOptions options = OPTIONS.toBuilder().loraInputs(inputs).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(sd15, options)) {
      List<float[]> without = paint(pipeline, request);
      assertSame(merged, paint(pipeline, request.loras(lora)), 1e-5);
      assertFalse(Arrays.equals(without.get(1), merged.get(1)));
    }
  }

  @Test
  void aCancelledGenerationLeavesNothing() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      CancelToken cancel = new CancelToken();
      GenerationRequest request = request().featureReuse(FeatureReuse.every(3)).build();
      assertThrows(
          io.github.diffusion4j.GenerationCancelledException.class,
          () -> pipeline.generate(request, event -> cancel.cancel(), cancel));
      int open = NativeCount.open();
      pipeline.generate(request);
      assertEquals(open, NativeCount.open());
    }
  }

  /** Beside what ONNX Runtime's Java takes for a call of each network. */
  @Test
  void anEvaluationAllocatesNothingOfItsOwn() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      Conditioning told = told(pipeline, "a cat");
      DenoiserModel unet = pipeline.stages().denoiser();
      long plain = bytes(unet, told);
      long reused = bytes(unet.reusing(FeatureReuse.every(1000)), told);
      long whole = bytes(unet.reusing(new FeatureReuse(2, 0)), told);
      // one more tensor to list for ONNX Runtime's Java: 8 and 32 bytes
      assertTrue(reused - plain <= 64, plain + " and " + reused + " bytes an evaluation");
      assertTrue(whole - plain <= 64, plain + " and " + whole + " bytes an evaluation");
    }
  }

  private static long bytes(DenoiserModel model, Conditioning told) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    float[] in = new float[SHAPE.total()];
    float[] out = new float[2 * SHAPE.total()];
    long least = Long.MAX_VALUE;
    try (Denoiser denoiser = model.bind(told, SHAPE, BranchBatching.TOGETHER, new CancelToken())) {
      for (int round = 0; round < 20; round++) {
        denoiser.predict(in, 500, out);
        long start = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 20; i++) {
          denoiser.predict(in, 500, out);
        }
        least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - start) / 20);
      }
    }
    return least;
  }
}
