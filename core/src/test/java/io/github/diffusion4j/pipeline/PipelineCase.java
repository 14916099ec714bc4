package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
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
          "clip_skip");

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

  GenerationRequest request() {
    call()
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!KNOWN.contains(key)) {
                throw new AssertionError(name() + ": cannot run a case with argument " + key);
              }
            });
    if (!json.path("image_inputs").isEmpty()) {
      throw new AssertionError(name() + ": cannot run a case with input pictures");
    }
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
    if (call().hasNonNull("clip_skip")) {
      builder.text(TextOptions.DEFAULT.withClipSkip(call().get("clip_skip").asInt()));
    }
    return builder.build();
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
