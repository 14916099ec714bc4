package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.family.ModelExport;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Laws of LoRAs on a model with two text encoders. */
class LoraTest {

  private static final int RANK = 3;

  private static final Path PIPELINES = Goldens.folder("pipelines");

  @TempDir Path folder;
  private final RuntimeOptions options =
      RuntimeOptions.builder().intraOpThreads(1).loraInputs(LoraInputs.ALWAYS).build();
  private Path model;
  private Random random;
  private final long openBefore = NativeCount.open();

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  @BeforeEach
  void modelOfWeights() throws IOException {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    random = new Random(seed);
    model = folder.resolve("sdxl");
    ModelCopy copy = ModelCopy.of(PIPELINES.resolve("weights/sdxl"), model);
    for (String tokenizer : List.of("tokenizer", "tokenizer_2")) {
      ModelCopy.of(PIPELINES.resolve("sdxl/model").resolve(tokenizer), copy.file(tokenizer));
    }
  }

  private Path lora() throws IOException {
    return lora(model, "unet", "text_encoder", "text_encoder_2");
  }

  private Path lora(Path changed, String... components) throws IOException {
    return lora(name -> true, changed, components);
  }

  private Path lora(Predicate<String> which, Path changed, String... components)
      throws IOException {
    Path file = Files.createTempFile(folder, "lora", ".safetensors");
    return new RandomLora(RANK, random).write(file, changed, which, components);
  }

  private static float[] paint(StableDiffusionPipeline pipeline, Lora... loras) {
    Recording recording = new Recording();
    pipeline.generate(
        GenerationRequest.prompt("a cat").size(64, 64).steps(2).seed(1).loras(loras).build(),
        recording);
    return recording.steps.get(1);
  }

  @Test
  void everyLayerIsChangedAlikeByInputsAndMerged() throws IOException {
    changesAlike(model, lora());
  }

  @Test
  void everyLayerOfATransformerAndItsThreeTextEncodersIsChangedAlike() throws IOException {
    Path sd3 = folder.resolve("sd3");
    ModelCopy copy = ModelCopy.of(PIPELINES.resolve("weights/sd3"), sd3);
    for (String tokenizer : List.of("tokenizer", "tokenizer_2", "tokenizer_3")) {
      ModelCopy.of(PIPELINES.resolve("sd3/model").resolve(tokenizer), copy.file(tokenizer));
    }
    changesAlike(sd3, lora(sd3, "transformer", "text_encoder", "text_encoder_2", "text_encoder_3"));
  }

  @Test
  void everyLayerOfFluxAndItsTextEncodersIsChangedAlike() throws IOException {
    Path flux = flux();
    changesAlike(flux, lora(flux, "transformer", "text_encoder", "text_encoder_2"));
  }

  @Test
  void kohyasThirdTextEncoderIsFluxsSecond() throws IOException {
    Path flux = flux();
    Path usual = lora(flux, "transformer", "text_encoder", "text_encoder_2");
    Path kohya = folder.resolve("kohya.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    try (TensorStore store = TensorStore.open(usual)) {
      for (String name : store.names()) {
        writer.add(kohyas(name), store.info(name).shape(), store.floats(name));
      }
    }
    writer.write(kohya);
    changesAlike(flux, kohya);
    float[] expected;
    ModelLayout plain = ModelLayout.of(flux);
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(plain, options)) {
      expected = paint(pipeline, Lora.of(usual, 0.8));
      assertArrayEquals(expected, paint(pipeline, Lora.of(kohya, 0.8)));
      near(expected, paint(pipeline, Lora.of(kohya, 0.5), Lora.of(usual, 0.3)), "both names");
    }
    Path exported = folder.resolve("exported");
    ModelLayout merged = plain.withLoras(List.of(Lora.of(kohya, 0.8)));
    new ModelExport(merged, Precision.FLOAT32).write(exported);
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelLayout.of(exported), options)) {
      near(expected, paint(pipeline), "exported");
    }
  }

  /** A text encoder's name of diffusers' as kohya's scripts for FLUX write it. */
  private static String kohyas(String name) {
    int part = name.indexOf(".lora_");
    String layer = name.substring(0, part);
    String component = layer.substring(0, layer.indexOf('.'));
    String prefix =
        Map.of("text_encoder", "lora_te1_", "text_encoder_2", "lora_te3_")
            .getOrDefault(component, "lora_transformer_");
    String underscored = layer.substring(layer.indexOf('.') + 1).replace('.', '_');
    String matrix =
        name.substring(part).replace("lora_A", "lora_down").replace("lora_B", "lora_up");
    return prefix + underscored + matrix;
  }

  private Path flux() throws IOException {
    Path flux = folder.resolve("flux");
    ModelCopy copy = ModelCopy.of(PIPELINES.resolve("flux/model/scheduler"), flux);
    Files.createDirectory(copy.file("scheduler"));
    Files.move(copy.file("scheduler_config.json"), copy.file("scheduler/scheduler_config.json"));
    Files.copy(PIPELINES.resolve("flux/model/model_index.json"), copy.file("model_index.json"));
    Map.of(
            "text_encoder", PIPELINES.resolve("weights/sd15/text_encoder"),
            "text_encoder_2", PIPELINES.resolve("weights/sd3/text_encoder_3"),
            "tokenizer", PIPELINES.resolve("sd15-clip-skip/model/tokenizer"),
            "tokenizer_2", PIPELINES.resolve("sd3/model/tokenizer_3"),
            "transformer", Goldens.folder("lora-transformers").resolve("flux/transformer"),
            "vae", PIPELINES.resolve("weights/sd15/vae"))
        .forEach((component, from) -> copied(from, copy.file(component)));
    return flux;
  }

  private static void near(float[] expected, float[] found, String what) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertArrayEquals(expected, found, (float) (1e-5 * largest), what);
  }

  private static void copied(Path from, Path to) {
    try {
      ModelCopy.of(from, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void changesAlike(Path model, Path file) throws IOException {
    Path exported = folder.resolve("exported-" + model.getFileName());
    new ModelExport(ModelLayout.of(model), Precision.FLOAT32).write(exported);
    float[] painted;
    try (StableDiffusionPipeline plain =
        StableDiffusionPipeline.load(ModelLayout.of(model), options)) {
      painted = paint(plain, Lora.of(file, 0.8));
    }
    try (StableDiffusionPipeline onnx =
        StableDiffusionPipeline.load(ModelLayout.of(exported), options)) {
      near(painted, paint(onnx, Lora.of(file, 0.8)), "exported");
    }
    try (StableDiffusionPipeline onnx =
        StableDiffusionPipeline.load(
            ModelLayout.of(exported).withLoras(List.of(Lora.of(file, 0.8))), options)) {
      near(painted, paint(onnx), "merged into what was exported");
    }
    for (Lora lora : List.of(Lora.of(file, 0.8), new Lora(file, 0, 0.8), new Lora(file, 0.8, 0))) {
      try (StableDiffusionPipeline plain =
              StableDiffusionPipeline.load(ModelLayout.of(model), options);
          StableDiffusionPipeline merged =
              StableDiffusionPipeline.load(
                  ModelLayout.of(model).withLoras(List.of(lora)), options)) {
        float[] changed = paint(plain, lora);
        near(paint(merged), changed, lora.toString());
        assertFalse(Arrays.equals(changed, paint(plain)));
      }
    }
  }

  /** Beside requests without one, whose pictures stay the same bits. */
  @Test
  void aLoraOfMatricesNeedsNoFurtherSession() throws IOException {
    Predicate<String> matrices = name -> !name.contains("conv") && !name.contains("samplers");
    String[] components = {"unet", "text_encoder", "text_encoder_2"};
    Lora first = Lora.of(lora(matrices, model, components), 0.8);
    Lora second = Lora.of(lora(matrices.and(name -> name.contains("attn")), model, "unet"));
    Lora convolutions = Lora.of(lora());
    try (StableDiffusionPipeline pipeline =
            StableDiffusionPipeline.load(ModelLayout.of(model), options);
        StableDiffusionPipeline merged =
            StableDiffusionPipeline.load(
                ModelLayout.of(model).withLoras(List.of(first)), options)) {
      float[] plain = paint(pipeline);
      int open = NativeCount.open();
      near(paint(merged), paint(pipeline, first), "merged");
      for (Lora[] loras : List.of(new Lora[] {first}, new Lora[] {second, first})) {
        assertFalse(Arrays.equals(plain, paint(pipeline, loras)));
        assertArrayEquals(plain, paint(pipeline));
        assertEquals(open, NativeCount.open());
      }
      paint(pipeline, convolutions);
      assertTrue(NativeCount.open() > open, "the UNet with inputs for convolutions");
      assertArrayEquals(plain, paint(pipeline));
    }
  }

  @Test
  void generationsAtTheSameTimeKeepTheirOwnLoras() throws Exception {
    List<Lora[]> all = new ArrayList<>();
    all.add(new Lora[0]);
    for (double scale : new double[] {0.3, 0.9}) {
      Path matrices = lora(name -> name.contains("attn"), model, "unet", "text_encoder");
      all.add(new Lora[] {Lora.of(matrices, scale)});
      all.add(new Lora[] {Lora.of(matrices, scale), Lora.of(lora())});
    }
    ExecutorService threads = Executors.newFixedThreadPool(all.size());
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelLayout.of(model), options)) {
      List<float[]> alone = all.stream().map(loras -> paint(pipeline, loras)).toList();
      for (int round = 0; round < 3; round++) {
        List<Callable<float[]>> tasks = new ArrayList<>();
        all.forEach(loras -> tasks.add(() -> paint(pipeline, loras)));
        List<Future<float[]>> together = threads.invokeAll(tasks);
        for (int i = 0; i < all.size(); i++) {
          assertArrayEquals(alone.get(i), together.get(i).get(), "generation " + i);
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @ParameterizedTest
  @EnumSource(LoraInputs.class)
  void aRefusedLoraLeavesNothingBehind(LoraInputs inputs) throws IOException {
    Path table = folder.resolve("table.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    String layer = "text_model.embeddings.token_embedding";
    String name = "text_encoder." + layer;
    ModelLayout layout = ModelLayout.of(model);
    LowRank.Shape shape = layout.network("text_encoder").built().orElseThrow().layers().get(layer);
    writer.add(name + ".lora_A.weight", List.of(1L, (long) shape.in()), new float[shape.in()]);
    writer.add(name + ".lora_B.weight", List.of((long) shape.out(), 1L), new float[shape.out()]);
    writer.write(table);
    Lora good = Lora.of(lora());
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(layout, options.toBuilder().loraInputs(inputs).build())) {
      Lora bad = Lora.of(table);
      String message =
          assertThrows(ModelFormatException.class, () -> paint(pipeline, bad)).getMessage();
      assertTrue(message.contains("no LoRA can change"), message);
      paint(pipeline, good);
    }
  }

  @Test
  void aLoraOfAnotherKindOfModelIsRefused() throws IOException {
    Lora other = Lora.of(lora());
    Path sd15 = PIPELINES.resolve("sd15-clip-skip/model");
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelLayout.of(sd15), options)) {
      String message =
          assertThrows(ModelFormatException.class, () -> paint(pipeline, other)).getMessage();
      assertTrue(message.contains("changes a model's text_encoder_2"), message);
      Lora kohya = Lora.of(PIPELINES.resolve("weights/lora_kohya.safetensors"));
      paint(pipeline, kohya); // goes on
    }
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelLayout.of(model), options)) {
      Lora kohya = Lora.of(PIPELINES.resolve("weights/lora_kohya.safetensors"));
      String message =
          assertThrows(ModelFormatException.class, () -> paint(pipeline, kohya)).getMessage();
      assertTrue(message.contains("for another kind of model"), message);
    }
  }

  @Test
  void networksWithoutNamesSaySo() throws IOException {
    Lora kohya = Lora.of(PIPELINES.resolve("weights/lora_kohya.safetensors"));
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(
            ModelLayout.of(PIPELINES.resolve("sd15-fp16/model")), options)) {
      String message =
          assertThrows(ModelFormatException.class, () -> paint(pipeline, kohya)).getMessage();
      assertTrue(message.contains("layers are not in the model's"), message);
      assertTrue(message.contains("optimization has taken the names of layers"), message);
    }
  }
}
