package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * Stable Diffusion 1.x and 2.x, and any latent diffusion model of their form (Rombach et al. 2022,
 * arXiv 2112.10752): one CLIP text encoder, a UNet with cross-attention, an autoencoder.
 */
final class StableDiffusionFamily implements ModelFamily {

  private static final Set<String> PIPELINES =
      Set.of(
          "StableDiffusionPipeline",
          "OnnxStableDiffusionPipeline",
          "ORTStableDiffusionPipeline",
          "StableDiffusionImg2ImgPipeline",
          "OnnxStableDiffusionImg2ImgPipeline");
  private static final String HIDDEN = "encoder_hidden_states";

  @Override
  public String name() {
    return "stable-diffusion";
  }

  @Override
  public boolean matches(ModelLayout layout) {
    return PIPELINES.contains(layout.pipelineClass());
  }

  @Override
  public boolean takesTextualInversions() {
    return true;
  }

  @Override
  public Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException {
    try (Closer open = new Closer()) {
      TextualInversions words = new TextualInversions(layout.inversions(), 0, 1);
      Map<String, Path> files = layout.onnxFiles("text_encoder", "unet", "vae_decoder");
      Tokenizer tokenizer = open.own(tokenizer(layout, words));
      Map<String, OrtModel> models =
          runtime.open(files, Map.of("text_encoder", words.edits(tokenizer)), open);
      ClipPromptEncoder encoder =
          new ClipPromptEncoder(new ClipTextEncoder(tokenizer, models.get("text_encoder")));
      OrtDenoiserModel unet = new OrtDenoiserModel(models.get("unet"), "sample", Set.of(HIDDEN));
      OrtLatentCodec codec =
          new OrtLatentCodec(models.get("vae_decoder"), layout.config("vae_decoder"));
      checkAgreement(layout, encoder, unet, codec);
      return new Stages(
          encoder, unet, codec, FamilyRules.DEFAULT, facts(layout, unet, codec), open.release());
    }
  }

  private static Tokenizer tokenizer(ModelLayout layout, TextualInversions words)
      throws IOException {
    int positions = layout.config("text_encoder").positive("max_position_embeddings").orElse(77);
    try {
      return words.tokenizer(layout.folder().resolve("tokenizer"), positions);
    } catch (TokenizerFormatException e) {
      throw new ModelFormatException(e.getMessage(), e);
    }
  }

  private static void checkAgreement(
      ModelLayout layout, ClipPromptEncoder encoder, OrtDenoiserModel unet, OrtLatentCodec codec) {
    long channels = unet.sample().dim(1);
    if (channels > 0 && channels != codec.latentChannels()) {
      throw new ModelFormatException(
          "%s: unet input %s has %d channels, but the autoencoder's latents have %d; a UNet with more inputs (inpainting, pix2pix, upscaler) is another kind of model"
              .formatted(layout.folder(), unet.sample(), channels, codec.latentChannels()));
    }
    long width = unet.condition(HIDDEN).dim(2);
    if (width > 0 && encoder.width() > 0 && width != encoder.width()) {
      throw new ModelFormatException(
          "%s: unet input %s is %d wide, but the text encoder gives embeddings %d wide; the components belong to different models"
              .formatted(layout.folder(), unet.condition(HIDDEN), width, encoder.width()));
    }
    for (int axis = 2; axis < 4; axis++) {
      long cells = unet.sample().dim(axis);
      long decoded = codec.latents().dim(axis);
      if (cells > 0 && decoded > 0 && cells != decoded) {
        throw new ModelFormatException(
            "%s: unet input %s and vae_decoder input %s have different fixed sizes"
                .formatted(layout.folder(), unet.sample(), codec.latents()));
      }
    }
  }

  private static ModelFacts facts(ModelLayout layout, OrtDenoiserModel unet, OrtLatentCodec codec) {
    TensorSpec sample = unet.sample();
    boolean fixed = sample.dim(2) > 0 && sample.dim(3) > 0;
    ConfigFile generation = layout.generation();
    ConfigFile config = layout.config("unet");
    int height = fixed ? (int) sample.dim(2) : cells(config, 0);
    int width = fixed ? (int) sample.dim(3) : cells(config, 1);
    return new ModelFacts(
        layout.name(),
        "stable-diffusion",
        generation.positive("width").orElse(width * codec.factor()),
        generation.positive("height").orElse(height * codec.factor()),
        generation.positive("num_inference_steps").orElse(ModelFacts.DEFAULT_STEPS),
        generation.number("guidance_scale").orElse(ModelFacts.DEFAULT_GUIDANCE_SCALE),
        fixed,
        schedulerConfig(layout));
  }

  /** Checked here, so that a model with an unknown solver is refused when it is opened. */
  private static Map<String, Object> schedulerConfig(ModelLayout layout) {
    ConfigFile file = layout.scheduler();
    Map<String, Object> config = file.toMap();
    try {
      Schedulers.fromConfig(config);
      return config;
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          layout.folder() + ": " + file.name() + ": " + e.getMessage(), e);
    }
  }

  /** sample_size is one number, or height and width. */
  private static int cells(ConfigFile config, int axis) {
    JsonNode size = config.value("sample_size").orElse(null);
    if (size != null && size.isArray()) {
      JsonNode cells = size.path(axis);
      if (!cells.canConvertToInt() || cells.intValue() < 1) {
        throw config.wrong("sample_size", "a positive integer or two", size);
      }
      return cells.intValue();
    }
    return config.positive("sample_size").orElse(64);
  }
}
