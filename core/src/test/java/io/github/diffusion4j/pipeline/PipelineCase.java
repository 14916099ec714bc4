package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Upscale;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;

/** One case of a pipeline variant's cases.json. */
record PipelineCase(Path variant, Path model, boolean float16, JsonNode json) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(com.fasterxml.jackson.core.json.JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** Arguments of a call that {@link #request} understands. */
  private static final Set<String> KNOWN =
      Set.of(
          "prompt",
          "negative_prompt",
          "num_inference_steps",
          "timesteps",
          "sigmas",
          "height",
          "width",
          "guidance_scale",
          "guidance_rescale",
          "eta",
          "num_images_per_prompt",
          "strength",
          "padding_mask_crop",
          "image_guidance_scale",
          "noise_level");

  /** Picture arguments that {@link #init} understands. */
  private static final Set<String> PICTURES = Set.of("image", "mask_image");

  static List<PipelineCase> of(Path variant) throws IOException {
    JsonNode root = JSON.readTree(variant.resolve("cases.json").toFile());
    if (!root.path("cases").path(0).has("pipeline")) {
      return List.of(); // goldens of another kind, which have a test of their own
    }
    Path model = variant.resolve(root.get("model_dir").asText()).normalize();
    List<PipelineCase> cases = new ArrayList<>();
    boolean float16 =
        root.path("onnx_io").path("unet/model.onnx").path("inputs").toString().contains("float16");
    root.get("cases").forEach(json -> cases.add(new PipelineCase(variant, model, float16, json)));
    return cases;
  }

  String name() {
    return variant.getFileName() + "/" + json.get("name").asText();
  }

  private JsonNode call() {
    return json.get("call");
  }

  Scheduler scheduler() {
    Map<String, Object> config =
        JSON.convertValue(
            json.get("scheduler").get("config"),
            new com.fasterxml.jackson.core.type.TypeReference<>() {});
    return Schedulers.fromConfig(config);
  }

  StepPlan plan() {
    if (call().hasNonNull("timesteps")) {
      return StepPlan.timesteps(doubles(call().get("timesteps")));
    }
    if (call().hasNonNull("sigmas")) {
      return StepPlan.sigmas(doubles(call().get("sigmas")));
    }
    return StepPlan.steps(call().path("num_inference_steps").asInt(50));
  }

  GenerationRequest request(ModelFacts facts) throws IOException {
    call()
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!KNOWN.contains(key)) {
                throw new AssertionError(name() + ": cannot run a case with argument " + key);
              }
            });
    json.path("image_inputs")
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!PICTURES.contains(key)) {
                throw new AssertionError(name() + ": cannot run a case with picture " + key);
              }
            });
    GenerationRequest.Builder builder =
        GenerationRequest.prompts(texts(call().get("prompt")))
            .plan(plan())
            .scheduler(scheduler())
            .guidanceScale(call().path("guidance_scale").asDouble(7.5))
            .guidanceRescale(call().path("guidance_rescale").asDouble(0))
            .imagesPerPrompt(call().path("num_images_per_prompt").asInt(1))
            .seed(
                StreamSupport.stream(json.get("seeds").spliterator(), false)
                    .mapToLong(JsonNode::asLong)
                    .toArray());
    if (call().hasNonNull("negative_prompt")) {
      builder.negativePrompt(texts(call().get("negative_prompt")).toArray(String[]::new));
    }
    if (call().hasNonNull("height")) {
      builder.height(call().get("height").asInt());
    }
    if (call().hasNonNull("width")) {
      builder.width(call().get("width").asInt());
    }
    if (call().hasNonNull("eta")) {
      builder.eta(call().get("eta").asDouble());
    }
    if (pipeline().contains("Inpaint")) { // the reference's default is the model's size
      builder.width(call().path("width").asInt(facts.width()));
      builder.height(call().path("height").asInt(facts.height()));
    }
    return builder.init(init()).build();
  }

  private String pipeline() {
    return json.path("pipeline").asText();
  }

  /** The task by the pipeline's name, with the reference's defaults. */
  private Init init() throws IOException {
    String pipeline = pipeline();
    if (!json.path("image_inputs").has("image")) {
      return new Init.FromNoise();
    }
    Pictures picture = Pictures.read(input("image"));
    boolean xl = pipeline.contains("XL");
    if (pipeline.contains("Inpaint")) {
      Inpaint.Options options =
          Inpaint.Options.DEFAULT.withStrength(call().path("strength").asDouble(xl ? 0.9999 : 1));
      return new Inpaint(
          picture,
          Mask.read(input("mask_image")),
          call().hasNonNull("padding_mask_crop")
              ? options.withCrop(call().get("padding_mask_crop").asInt())
              : options);
    }
    if (pipeline.contains("InstructPix2Pix")) {
      return new InstructPix2Pix(picture, call().path("image_guidance_scale").asDouble(1.5));
    }
    if (pipeline.contains("Upscale")) {
      return new Upscale(picture, call().path("noise_level").asInt(20));
    }
    if (pipeline.contains("Img2Img")) {
      return new ImageToImage(picture, call().path("strength").asDouble(xl ? 0.3 : 0.8));
    }
    throw new AssertionError(name() + ": cannot run a case of " + pipeline);
  }

  Path input(String argument) {
    return variant.resolve(json.path("image_inputs").get(argument).asText());
  }

  double[] timesteps() {
    return doubles(json.get("timesteps"));
  }

  double initNoiseSigma() {
    return json.path("init_noise_sigma").asDouble(1);
  }

  SafetensorsFile tensors() throws IOException {
    return SafetensorsFile.open(variant.resolve(json.get("tensors").asText()));
  }

  /** The name under which a tensor is stored. */
  String stored(String tensor) {
    return json.path("aliases").path(tensor).asText(tensor);
  }

  List<Path> pictures() {
    return texts(json.get("png")).stream().map(variant::resolve).toList();
  }

  private static List<String> texts(JsonNode node) {
    return node.isArray()
        ? StreamSupport.stream(node.spliterator(), false).map(JsonNode::asText).toList()
        : List.of(node.asText());
  }

  private static double[] doubles(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }
}
