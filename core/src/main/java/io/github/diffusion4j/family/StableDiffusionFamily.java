package io.github.diffusion4j.family;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.LowResolution;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.Optional;
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
          "OnnxStableDiffusionImg2ImgPipeline",
          "ORTStableDiffusionImg2ImgPipeline",
          "StableDiffusionInpaintPipeline",
          "OnnxStableDiffusionInpaintPipeline",
          "ORTStableDiffusionInpaintPipeline",
          "StableDiffusionInstructPix2PixPipeline",
          "StableDiffusionUpscalePipeline",
          "OnnxStableDiffusionUpscalePipeline",
          "StableDiffusionControlNetPipeline",
          "StableDiffusionControlNetImg2ImgPipeline",
          "StableDiffusionControlNetInpaintPipeline");
  private static final String HIDDEN = "encoder_hidden_states";
  private static final String NOISE_LEVEL = "class_labels";

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
    DenoiserInput kind = DenoiserInput.of(layout.pipelineClass());
    boolean upscales = kind == DenoiserInput.LOW_RESOLUTION;
    try (Closer open = new Closer()) {
      Components parts =
          Components.open(layout, runtime, open, "text_encoder", "unet", "vae_decoder");
      ClipPromptEncoder encoder =
          new ClipPromptEncoder(parts.clip(""), layout.config("text_encoder"));
      OrtLatentCodec codec = parts.codec();
      OrtDenoiserModel unet =
          parts.unet(codec, upscales ? Set.of(HIDDEN, NOISE_LEVEL) : Set.of(HIDDEN));
      parts.checkLatents(unet, codec);
      parts.checkWidth(unet, HIDDEN, encoder.width());
      ModelFacts facts = parts.facts(unet, codec, defaults(kind));
      FamilyRules rules = upscales ? upscaling(parts.lowResolution()) : FamilyRules.DEFAULT;
      return new Stages(encoder, parts.shared(unet), codec, rules, facts, open.release());
    }
  }

  /** The reference's, which differ by pipeline. */
  private Components.Defaults defaults(DenoiserInput kind) {
    return switch (kind) {
      case INSTRUCTION ->
          new Components.Defaults(name(), 64, 100, ModelFacts.DEFAULT_GUIDANCE_SCALE);
      case LOW_RESOLUTION -> new Components.Defaults(name(), 64, 75, 9);
      default ->
          new Components.Defaults(
              name(), 64, ModelFacts.DEFAULT_STEPS, ModelFacts.DEFAULT_GUIDANCE_SCALE);
    };
  }

  private static FamilyRules upscaling(LowResolution lowResolution) {
    return new FamilyRules() {
      @Override
      public Optional<LowResolution> lowResolution() {
        return Optional.of(lowResolution);
      }
    };
  }
}
