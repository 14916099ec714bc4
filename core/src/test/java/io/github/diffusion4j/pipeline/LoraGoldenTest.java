package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.checkpoint.CheckpointHints;
import io.github.diffusion4j.family.ModelExport;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.lora.LoraFiles;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Networks and pictures with LoRAs against the reference, for each request and merged. */
class LoraGoldenTest {

  private static final double EMBEDDINGS = 1e-4;
  private static final double LATENTS = 1e-3;

  private final Path weights = Goldens.folder("pipelines").resolve("weights");
  private final Path exported =
      Goldens.folder("pipelines").resolve("sd15-clip-skip").resolve("model");

  /** How a model may lie on the disk. */
  private enum Form {
    EXPORTED,
    WEIGHTS,
    ONE_FILE
  }

  @TempDir static Path folder;

  private final RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).build();

  @TestFactory
  List<DynamicTest> everyFile() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    JsonNode cases = new ObjectMapper().readTree(weights.resolve("cases.json").toFile());
    JsonNode lora = cases.get("lora");
    try (Stream<Path> files = Files.list(weights)) {
      for (Path file :
          files
              .filter(f -> f.getFileName().toString().matches("lora_.*\\.safetensors"))
              .sorted()
              .toList()) {
        String name = file.getFileName().toString();
        Lora scaled = Lora.of(file, lora.get("scale").asDouble());
        for (Form form : Form.values()) {
          String title = name + " " + form + " ";
          tests.add(DynamicTest.dynamicTest(title + "networks", () -> networks(form, scaled)));
          tests.add(DynamicTest.dynamicTest(title + "picture", () -> picture(form, scaled, lora)));
          tests.add(DynamicTest.dynamicTest(title + "merged", () -> merged(form, scaled, lora)));
          tests.add(DynamicTest.dynamicTest(title + "export", () -> exported(form, scaled, lora)));
        }
      }
    }
    assertFalse(tests.isEmpty(), weights + " has no LoRA");
    return tests;
  }

  private ModelLayout layout(Form form) throws IOException {
    if (form == Form.EXPORTED) {
      return ModelLayout.of(exported);
    }
    Path model = folder.resolve("sd15");
    if (!Files.exists(model)) {
      ModelCopy copy = ModelCopy.of(weights.resolve("sd15"), model);
      ModelCopy.of(exported.resolve("tokenizer"), copy.file("tokenizer"));
    }
    return form == Form.WEIGHTS
        ? ModelLayout.of(model)
        : ModelLayout.of(
            weights.resolve("sd15_single_file.safetensors"),
            CheckpointHints.NONE.withConfigs(model));
  }

  private void networks(Form form, Lora lora) throws IOException {
    try (SafetensorsFile golden =
            SafetensorsFile.open(weights.resolve("unet_and_lora_golden.safetensors"));
        StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(layout(form), options)) {
      Stages changed = pipeline.stages().with(new LoraFiles().read(List.of(lora)));
      for (String name : List.of("unet_out", "lora.unet_out_same_context", "lora.unet_out")) {
        Stages stages = name.startsWith("lora.") ? changed : pipeline.stages();
        String context =
            name.equals("lora.unet_out") ? "lora.last_hidden_state" : "last_hidden_state";
        float[] out = unet(stages, golden, golden.floats(context), golden.info(context).shape());
        float[] expected = golden.floats(name);
        assertArrayEquals(expected, out, (float) (EMBEDDINGS * largest(expected)), name);
      }
    }
  }

  private static float[] unet(
      Stages stages, SafetensorsFile golden, float[] context, List<Long> shape) {
    int rows = shape.get(0).intValue();
    List<Long> sample = golden.info("sample").shape();
    LatentShape latents =
        new LatentShape(
            rows, sample.get(1).intValue(), sample.get(2).intValue(), sample.get(3).intValue());
    Conditioning.Input input =
        new Conditioning.Input(
            "encoder_hidden_states",
            context,
            List.of(shape.get(1).intValue(), shape.get(2).intValue()));
    Conditioning conditioning = new Conditioning(1, rows, List.of(input));
    float[] out = new float[golden.floats("sample").length];
    try (Denoiser denoiser =
        stages.denoiser().bind(conditioning, latents, BranchBatching.TOGETHER, new CancelToken())) {
      denoiser.predict(golden.floats("sample"), golden.longs("timestep")[0], out);
    }
    return out;
  }

  private void picture(Form form, Lora lora, JsonNode golden) throws IOException {
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(layout(form), options)) {
      GenerationRequest plain = request(golden);
      float[] before = latents(pipeline, plain);
      check(pipeline, plain.toBuilder().loras(lora).build(), golden);
      // what follows is as if there had been no LoRA
      assertArrayEquals(before, latents(pipeline, plain));
      Lora none = Lora.of(lora.file(), 0);
      assertArrayEquals(before, latents(pipeline, plain.toBuilder().loras(none).build()));
      // halves of it add up
      Lora half = Lora.of(lora.file(), lora.scale() / 2);
      check(pipeline, plain.toBuilder().loras(half, half).build(), golden);
    }
  }

  private void merged(Form form, Lora lora, JsonNode golden) throws IOException {
    ModelLayout layout = layout(form).withLoras(List.of(lora));
    try (StableDiffusionPipeline merged = StableDiffusionPipeline.load(layout, options);
        StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(layout(form), options)) {
      check(merged, request(golden), golden);
      float[] expected = latents(pipeline, request(golden).toBuilder().loras(lora).build());
      float tolerance = (float) (1e-5 * largest(expected));
      assertArrayEquals(expected, latents(merged, request(golden)), tolerance);
    }
  }

  private void exported(Form form, Lora lora, JsonNode golden) throws IOException {
    ModelLayout layout = layout(form).withLoras(List.of(lora));
    Path out = folder.resolve(form + lora.file().getFileName().toString());
    new ModelExport(layout, RuntimeOptions.Precision.STORED).write(out);
    try (StableDiffusionPipeline merged = StableDiffusionPipeline.load(layout, options);
        StableDiffusionPipeline written =
            StableDiffusionPipeline.load(ModelLayout.of(out), options)) {
      check(written, request(golden), golden);
      assertArrayEquals(latents(merged, request(golden)), latents(written, request(golden)));
    }
  }

  private static float[] latents(StableDiffusionPipeline pipeline, GenerationRequest request) {
    Recording recording = new Recording();
    pipeline.generate(request, recording);
    return recording.steps.get(recording.steps.size() - 1);
  }

  private void check(StableDiffusionPipeline pipeline, GenerationRequest request, JsonNode golden)
      throws IOException {
    Recording recording = new Recording();
    GenerationResult result = pipeline.generate(request, recording);
    Path png = weights.resolve(golden.get("pipeline_case").get("png").asText());
    PictureDifference difference = PictureDifference.of(png, result.images().get(0));
    assertTrue(difference.largest() <= 1, png + " " + difference);
    try (SafetensorsFile tensors =
        SafetensorsFile.open(weights.resolve("unet_and_lora_golden.safetensors"))) {
      assertArrayEquals(
          tensors.floats("lora.pipeline_latents_final"),
          recording.steps.get(recording.steps.size() - 1),
          (float) LATENTS);
    }
    assertEquals(request.loras(), result.provenance().request().loras());
  }

  private GenerationRequest request(JsonNode golden) throws IOException {
    JsonNode painted = golden.get("pipeline_case");
    JsonNode call = painted.get("call");
    return GenerationRequest.prompt(call.get("prompt").asText())
        .steps(call.get("num_inference_steps").asInt())
        .size(call.get("width").asInt(), call.get("height").asInt())
        .guidanceScale(call.get("guidance_scale").asDouble())
        .seed(painted.get("seeds").get(0).asLong())
        .scheduler(Schedulers.fromConfig(scheduler(painted.get("scheduler"))))
        .build();
  }

  /** The case's own configuration; where it is empty the model's betas and nothing else. */
  private Map<String, Object> scheduler(JsonNode golden) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Map<String, Object> config =
        new HashMap<>(json.convertValue(golden.get("config"), new TypeReference<>() {}));
    if (config.isEmpty()) {
      JsonNode own =
          json.readTree(weights.resolve("sd15/scheduler/scheduler_config.json").toFile());
      for (String key : List.of("beta_start", "beta_end", "beta_schedule", "num_train_timesteps")) {
        config.put(key, json.convertValue(own.get(key), Object.class));
      }
    }
    config.putIfAbsent("_class_name", golden.get("class").asText());
    return config;
  }

  private static double largest(float... values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
