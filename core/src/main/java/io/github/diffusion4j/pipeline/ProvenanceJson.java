package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.Decoding;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.Variation;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

/** Provenance as JSON, under diffusers' names where it has one. */
final class ProvenanceJson {

  private static final int FORMAT = 1;
  private static final String REUSE_INTERVAL = "cache_interval";
  private static final String REUSE_BRANCH = "cache_branch_id";

  /** What is not in a picture's file, by task. */
  private static final Map<String, String> LACKING =
      Map.of(
          "image to image", "the picture that it was painted over",
          "inpaint", "the picture and the mask of which a part was painted anew",
          "instruction", "the picture that the instruction changed",
          "upscale", "the picture that was enlarged",
          "latents to image", "the latents that it began with");

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private ProvenanceJson() {}

  static String generator() {
    return "diffusion4j "
        + Optional.ofNullable(Provenance.class.getPackage().getImplementationVersion())
            .orElse("development");
  }

  static String write(Provenance provenance, int index) {
    GenerationRequest request = provenance.request();
    ObjectNode root = JSON.createObjectNode();
    root.put("format", FORMAT).put("generator", generator()).put("model", provenance.model());
    root.set("prompts", JSON.valueToTree(request.prompts()));
    root.set("negative_prompts", JSON.valueToTree(request.negativePrompts()));
    root.put("width", request.width().orElseThrow()).put("height", request.height().orElseThrow());
    PlanJson.write(root, request.plan().orElseThrow());
    ConditioningJson.write(root, request);
    LoraJson.write(root, request.loras());
    GuidanceJson.write(root, request.guidance());
    request.eta().ifPresent(eta -> root.put("eta", eta));
    root.set("seeds", JSON.valueToTree(request.seeds()));
    root.put("noise", request.noiseKind().label());
    root.put("num_images_per_prompt", request.imagesPerPrompt());
    root.put("image_index", index);
    root.put("batching", request.batching().name());
    write(root, request.featureReuse());
    ControlsJson.write(root, request.controls());
    request.imagePrompt().ifPresent(prompt -> ControlsJson.write(root, prompt));
    root.set("init", JSON.valueToTree(new TreeMap<>(request.init().description())));
    registered(provenance.scheduler())
        .ifPresentOrElse(
            config -> root.set("scheduler", JSON.valueToTree(config)),
            () -> root.put("scheduler", provenance.scheduler().toString()));
    ObjectNode run = root.putObject("run").put("runtime", provenance.runtime());
    run.put("encode_seconds", provenance.timings().encode().toMillis() / 1e3);
    run.put("denoise_seconds", provenance.timings().denoise().toMillis() / 1e3);
    run.put("decode_seconds", provenance.timings().decode().toMillis() / 1e3);
    write(run, provenance.execution().decoding(), index);
    SafetyReport safety = provenance.safety();
    if (safety.policy() != SafetyPolicy.OFF) {
      run.put("safety_checker", safety.policy().name().toLowerCase(Locale.ROOT));
      run.put("has_nsfw_concept", safety.isFlagged(index));
    }
    return root.toString();
  }

  /** Under the names of the reference's add-on. */
  private static void write(ObjectNode root, FeatureReuse reuse) {
    if (reuse.isOn()) {
      root.put(REUSE_INTERVAL, reuse.interval()).put(REUSE_BRANCH, reuse.branch());
    }
  }

  /** Says what was not as usual. */
  private static void write(ObjectNode run, Decoding decoding, int index) {
    if (decoding.tiles() > 1) {
      run.put("decode_tiles", decoding.tiles());
    }
    if (decoding.widened().contains(index)) {
      run.put("decode_widened", true);
    }
    if (decoding.damaged().contains(index)) {
      run.put("decode_damaged", true);
    }
  }

  private static Optional<Map<String, Object>> registered(Scheduler scheduler) {
    try {
      return Optional.of(Schedulers.toConfig(scheduler));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // a user's own
    }
  }

  static String schedulerName(Scheduler scheduler) {
    return registered(scheduler)
        .map(config -> String.valueOf(config.get("_class_name")).replaceAll("Scheduler$", ""))
        .orElse(scheduler.getClass().getSimpleName());
  }

  /** The number of steps that a plan asks for. */
  static String steps(StepPlan plan) {
    if (plan instanceof StepPlan.Count count) {
      return Integer.toString(count.steps());
    }
    return Integer.toString(
        plan instanceof StepPlan.Timesteps timesteps
            ? timesteps.timesteps().size()
            : ((StepPlan.Sigmas) plan).sigmas().size());
  }

  static int index(String json) {
    return parse(json).path("image_index").asInt(0);
  }

  /** The request of a JSON record. */
  static GenerationRequest request(String json) {
    JsonNode root = parse(json);
    if (root.path("format").asInt() != FORMAT) {
      throw new ModelFormatException(
          "provenance of format " + root.path("format") + ", this version reads format " + FORMAT);
    }
    ControlsJson.requireNone(root);
    Init init = init(root.path("init"));
    try {
      return read(root).init(init).build();
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException("provenance that cannot be read: " + e.getMessage(), e);
    }
  }

  /** What a record holds: text to image, also varied. Pictures and latents are not in it. */
  private static Init init(JsonNode node) {
    String task = node.path("task").asText(node.asText());
    if (!task.equals("noise")) {
      throw new ModelFormatException(
          "the picture's file lacks %s; begin a request (%s) with that again"
              .formatted(LACKING.getOrDefault(task, "what it began with"), task));
    }
    Init init = new Init.FromNoise();
    return node.has("variation_seeds")
        ? new Variation(
            init,
            StreamSupport.stream(node.path("variation_seeds").spliterator(), false)
                .map(JsonNode::asLong)
                .toList(),
            node.path("variation_strength").asDouble())
        : init;
  }

  private static GenerationRequestBuilder read(JsonNode root) {
    if (!root.path("scheduler").isObject()) {
      throw new IllegalArgumentException(
          "the solver was the user's own, " + root.path("scheduler").asText());
    }
    Map<String, Object> scheduler =
        JSON.convertValue(root.path("scheduler"), new TypeReference<>() {});
    GenerationRequestBuilder builder =
        GenerationRequest.prompts(texts(root.path("prompts")))
            .negativePrompt(texts(root.path("negative_prompts")).toArray(String[]::new))
            .size(root.path("width").asInt(), root.path("height").asInt())
            .plan(PlanJson.read(root))
            .scheduler(Schedulers.fromConfig(scheduler))
            .guidance(GuidanceJson.read(root))
            .seed(
                StreamSupport.stream(root.path("seeds").spliterator(), false)
                    .mapToLong(JsonNode::asLong)
                    .toArray())
            .noiseKind(NoiseKind.of(root.path("noise").asText()))
            .imagesPerPrompt(root.path("num_images_per_prompt").asInt())
            .batching(BranchBatching.valueOf(root.path("batching").asText()));
    ConditioningJson.read(root, builder);
    builder.loras(LoraJson.read(root));
    builder.featureReuse(
        new FeatureReuse(root.path(REUSE_INTERVAL).asInt(1), root.path(REUSE_BRANCH).asInt(0)));
    if (root.has("eta")) {
      builder.eta(root.path("eta").asDouble());
    }
    return builder;
  }

  private static JsonNode parse(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new ModelFormatException("provenance that is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static List<String> texts(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false).map(JsonNode::asText).toList();
  }
}
