package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.SizeConditioning;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
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
          "prompt_2",
          "negative_prompt_2",
          "prompt_3",
          "negative_prompt_3",
          "clip_skip",
          "max_sequence_length",
          "original_size",
          "crops_coords_top_left",
          "target_size",
          "negative_original_size",
          "negative_crops_coords_top_left",
          "negative_target_size",
          "aesthetic_score",
          "negative_aesthetic_score",
          "denoising_end",
          "original_inference_steps",
          "true_cfg_scale",
          "class_labels",
          "batch",
          "strength",
          "denoising_start",
          "padding_mask_crop",
          "image_guidance_scale",
          "noise_level",
          "controlnet_conditioning_scale",
          "control_guidance_start",
          "control_guidance_end",
          "guess_mode");

  static List<PipelineCase> of(Path variant) throws IOException {
    JsonNode root = JSON.readTree(variant.resolve("cases.json").toFile());
    if (!root.path("cases").path(0).has("scheduler")) {
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

  /** The same case of another folder's model. */
  PipelineCase withModel(Path other) {
    return new PipelineCase(variant, other, float16, json);
  }

  private JsonNode call() {
    return json.get("call");
  }

  Scheduler scheduler() {
    Map<String, Object> config =
        JSON.convertValue(
            json.get("scheduler").get("config"),
            new com.fasterxml.jackson.core.type.TypeReference<>() {});
    config.putIfAbsent("_class_name", json.get("scheduler").get("class").asText());
    return Schedulers.fromConfig(config);
  }

  /** The steps that the call asks for; none where they are the model's own number. */
  private Optional<StepPlan> plan() {
    if (call().hasNonNull("timesteps")) {
      return Optional.of(StepPlan.timesteps(doubles(call().get("timesteps"))));
    }
    if (call().hasNonNull("sigmas")) {
      return Optional.of(StepPlan.sigmas(doubles(call().get("sigmas"))));
    }
    return call().hasNonNull("num_inference_steps")
        ? Optional.of(StepPlan.steps(call().get("num_inference_steps").asInt()))
        : Optional.empty();
  }

  /** The call as a request; what it leaves out is left to the model. */
  GenerationRequest request(ModelFacts facts) throws IOException {
    call()
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!KNOWN.contains(key)) {
                throw new AssertionError(name() + ": cannot run a case with argument " + key);
              }
            });
    GenerationRequestBuilder builder =
        painted()
            .scheduler(scheduler())
            .text(textOptions())
            .sizes(sizes())
            .seed(
                StreamSupport.stream(json.get("seeds").spliterator(), false)
                    .mapToLong(JsonNode::asLong)
                    .toArray());
    plan().ifPresent(plan -> builder.plan(withOptions(plan)));
    given("negative_prompt").ifPresent(t -> builder.negativePrompt(t.toArray(String[]::new)));
    number("guidance_scale").ifPresent(builder::guidanceScale);
    number("guidance_rescale").ifPresent(builder::guidanceRescale);
    number("true_cfg_scale").ifPresent(builder::trueGuidanceScale);
    number("eta").ifPresent(builder::eta);
    number("height").ifPresent(height -> builder.height((int) height));
    number("width").ifPresent(width -> builder.width((int) width));
    number("num_images_per_prompt").ifPresent(count -> builder.imagesPerPrompt((int) count));
    if (task().isInpainting()) { // the reference's default is the model's size
      builder.width((int) number("width").orElse(facts.width()));
      builder.height((int) number("height").orElse(facts.height()));
    }
    return builder
        .init(task().init())
        .controls(new ControlCase(task()).controls())
        .guessMode(call().path("guess_mode").asBoolean())
        .build();
  }

  /** What the case begins with. */
  TaskCase task() {
    return new TaskCase(name(), variant, model, json);
  }

  private GenerationRequestBuilder painted() {
    if (call().hasNonNull("class_labels")) {
      return GenerationRequest.classes(
          Arrays.stream(doubles(call().get("class_labels"))).mapToInt(x -> (int) x).toArray());
    }
    return call().has("class_labels")
        ? GenerationRequest.unconditional().imagesPerPrompt(call().path("batch").asInt(1))
        : GenerationRequest.prompts(texts(call().get("prompt")));
  }

  private StepPlan withOptions(StepPlan plan) {
    StepPlan more = plan;
    if (call().hasNonNull("denoising_end")) {
      more = more.withDenoisingEnd(call().get("denoising_end").asDouble());
    }
    return call().hasNonNull("original_inference_steps")
        ? more.withOriginalSteps(call().get("original_inference_steps").asInt())
        : more;
  }

  private TextOptions textOptions() {
    TextOptions options =
        TextOptions.DEFAULT
            .withPrompts2(unlessEmpty("prompt_2"), unlessEmpty("negative_prompt_2"))
            .withPrompts3(unlessEmpty("prompt_3"), unlessEmpty("negative_prompt_3"));
    if (call().hasNonNull("clip_skip")) {
      options = options.withClipSkip(call().get("clip_skip").asInt());
    }
    return call().hasNonNull("max_sequence_length")
        ? options.withMaxSequenceLength(call().get("max_sequence_length").asInt())
        : options;
  }

  private SizeConditioning sizes() {
    return SizeConditioning.DEFAULT
        .withPrompt(sizes(SizeConditioning.DEFAULT.prompt(), ""))
        .withNegative(sizes(SizeConditioning.DEFAULT.negative(), "negative_"));
  }

  /** Sizes are height, width here. */
  private SizeConditioning.Sizes sizes(SizeConditioning.Sizes sizes, String prefix) {
    SizeConditioning.Sizes told = sizes;
    if (call().hasNonNull(prefix + "original_size")) {
      JsonNode size = call().get(prefix + "original_size");
      told = told.withOriginal(size.get(1).asInt(), size.get(0).asInt());
    }
    if (call().hasNonNull(prefix + "crops_coords_top_left")) {
      JsonNode crop = call().get(prefix + "crops_coords_top_left");
      told = told.withCrop(crop.get(0).asInt(), crop.get(1).asInt());
    }
    if (call().hasNonNull(prefix + "target_size")) {
      JsonNode size = call().get(prefix + "target_size");
      told = told.withTarget(size.get(1).asInt(), size.get(0).asInt());
    }
    return call().hasNonNull(prefix + "aesthetic_score")
        ? told.withAestheticScore(call().get(prefix + "aesthetic_score").asDouble())
        : told;
  }

  private OptionalDouble number(String key) {
    return call().hasNonNull(key)
        ? OptionalDouble.of(call().get(key).asDouble())
        : OptionalDouble.empty();
  }

  private Optional<List<String>> given(String key) {
    return call().hasNonNull(key) ? Optional.of(texts(call().get(key))) : Optional.empty();
  }

  /** The reference takes an empty text as none given. */
  private List<String> unlessEmpty(String key) {
    return given(key).filter(texts -> !texts.equals(List.of(""))).orElse(List.of());
  }

  double[] timesteps() {
    return doubles(json.get("timesteps"));
  }

  OptionalDouble initNoiseSigma() {
    return json.hasNonNull("init_noise_sigma")
        ? OptionalDouble.of(json.get("init_noise_sigma").asDouble())
        : OptionalDouble.empty();
  }

  SafetensorsFile tensors() throws IOException {
    return SafetensorsFile.open(variant.resolve(json.get("tensors").asText()));
  }

  /** Whether a tensor is part of the case. */
  boolean has(SafetensorsFile tensors, String tensor) {
    return tensors.names().contains(stored(tensor));
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
