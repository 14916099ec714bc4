package io.github.diffusion4j.checkpoint;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.scheduler.Prediction;
import io.github.diffusion4j.tensor.TensorStore;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a checkpoint's configurations: what the kind is known for, what the shapes and marks tell,
 * over both what is given, and over all a given prediction.
 *
 * @param checkpoint with its networks
 * @param hints what is given
 */
record CheckpointConfig(Checkpoint checkpoint, CheckpointHints hints) {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String UNET = "unet";
  private static final String SCHEDULER = "scheduler";
  private static final String INDEX = "model_index";
  private static final String PREDICTION = "prediction_type";
  private static final String SIZE = "sample_size";

  /** Steps of the training after which the base model of Stable Diffusion 2 was published. */
  private static final long BASE_STEPS = 875_000;

  /** Normalization groups and heads of these models need channels in multiples of this. */
  private static final int CHANNELS = 32;

  /** All configurations by component. */
  Map<String, Map<String, Object>> all(TensorStore store) throws IOException {
    Map<String, Map<String, Object>> configs = resource();
    for (String network : checkpoint.networks()) {
      configs.get(network).putAll(checkpoint.mapping(network).config());
    }
    completeUNet(configs.get(UNET));
    predict(configs, store);
    configs.get(INDEX).put("_class_name", pipelineClass(configs));
    hints
        .given()
        .forEach(
            (component, given) ->
                configs.computeIfAbsent(component, absent -> new LinkedHashMap<>()).putAll(given));
    hints
        .prediction()
        .ifPresent(given -> configs.get(SCHEDULER).put(PREDICTION, given.configName()));
    size(configs);
    if (!hints.given().containsKey(UNET)) {
      checkChannels(configs.get(UNET));
    }
    return configs;
  }

  private Map<String, Map<String, Object>> resource() throws IOException {
    String name = checkpoint.kind().resource();
    try (InputStream in = CheckpointConfig.class.getResourceAsStream(name)) {
      return JSON.readValue(in, new TypeReference<LinkedHashMap<String, Map<String, Object>>>() {});
    }
  }

  /** Sizes that SDXL adds to the timestep: six of the base, five of the refiner. */
  private void completeUNet(Map<String, Object> config) {
    if (config.get("projection_class_embeddings_input_dim") instanceof Integer width) {
      int pooled = (Integer) checkpoint.mapping("text_encoder_2").config().get("projection_dim");
      int numbers = checkpoint.kind() == CheckpointKind.SDXL_REFINER ? 5 : 6;
      if (width <= pooled || (width - pooled) % numbers != 0) {
        throw error(
            "the UNet takes %d numbers of text and sizes, but the text encoder gives %d; they belong to different models"
                .formatted(width, pooled));
      }
      config.put("addition_time_embed_dim", (width - pooled) / numbers);
    }
  }

  private void predict(Map<String, Map<String, Object>> configs, TensorStore store) {
    Map<String, Object> scheduler = configs.get(SCHEDULER);
    String marked = store.metadata().getOrDefault("modelspec.prediction_type", "");
    if (store.names().contains("v_pred") || marked.equals("v")) {
      scheduler.put(PREDICTION, Prediction.V.configName());
    } else if (marked.equals("epsilon") || isBase(store) || inChannels(configs) != 4) {
      scheduler.put(PREDICTION, Prediction.EPSILON.configName());
    }
    if (store.names().contains("ztsnr")) {
      scheduler.put("rescale_betas_zero_snr", true);
      scheduler.put("timestep_spacing", "trailing");
      if (scheduler.get("_class_name").equals("PNDMScheduler")) { // knows no such betas
        scheduler.put("_class_name", "DDIMScheduler");
        scheduler.put("clip_sample", false);
        configs.get(INDEX).put(SCHEDULER, List.of("diffusers", "DDIMScheduler"));
      }
    }
  }

  /** Models of Stable Diffusion 2 that predict velocity are those of 768 pixels. */
  private void size(Map<String, Map<String, Object>> configs) {
    Object prediction = configs.get(SCHEDULER).get(PREDICTION);
    boolean given = hints.given().getOrDefault(UNET, Map.of()).containsKey(SIZE);
    if (checkpoint.kind() == CheckpointKind.SD2
        && Prediction.V.configName().equals(prediction)
        && !given) {
      configs.get(UNET).put(SIZE, 96);
    }
  }

  private static boolean isBase(TensorStore store) {
    return store.names().contains("global_step")
        && store.info("global_step").type() == TensorType.I64
        && store.info("global_step").elements() == 1
        && store.longs("global_step")[0] == BASE_STEPS;
  }

  private static int inChannels(Map<String, Map<String, Object>> configs) {
    return (Integer) configs.get(UNET).get("in_channels");
  }

  private String pipelineClass(Map<String, Map<String, Object>> configs) {
    String usual = (String) configs.get(INDEX).get("_class_name");
    int channels = inChannels(configs);
    boolean takesPictures = checkpoint.kind() != CheckpointKind.SDXL_REFINER;
    boolean xl = checkpoint.kind() == CheckpointKind.SDXL;
    if (channels == 4) {
      return usual;
    } else if (channels == 9 && takesPictures) {
      return xl ? "StableDiffusionXLInpaintPipeline" : "StableDiffusionInpaintPipeline";
    } else if (channels == 8 && checkpoint.kind() == CheckpointKind.SD1) {
      return "StableDiffusionInstructPix2PixPipeline";
    }
    throw error(
        "its UNet takes %d channels, expected 4, 9 (inpainting) or, of Stable Diffusion 1, 8 (InstructPix2Pix)"
            .formatted(channels));
  }

  private void checkChannels(Map<String, Object> config) {
    List<?> channels = (List<?>) config.get("block_out_channels");
    if (channels.stream().anyMatch(count -> (Integer) count % CHANNELS != 0)) {
      throw error(
          "its UNet has %s channels, not in multiples of %d as all published models of this kind, so that its heads and norms cannot be told; give its unet/config.json in a folder of configurations"
              .formatted(channels, CHANNELS));
    }
  }

  private ModelFormatException error(String what) {
    return new ModelFormatException(checkpoint.file() + ": " + what);
  }
}
