package io.github.diffusion4j.family;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
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
      Components parts =
          Components.open(layout, runtime, open, "text_encoder", "unet", "vae_decoder");
      ClipPromptEncoder encoder = new ClipPromptEncoder(parts.clip(""));
      OrtDenoiserModel unet = new OrtDenoiserModel(parts.model("unet"), "sample", Set.of(HIDDEN));
      OrtLatentCodec codec = parts.codec();
      parts.checkLatents(unet, codec);
      parts.checkWidth(unet, HIDDEN, encoder.width());
      ModelFacts facts =
          parts.facts(
              unet,
              codec,
              new Components.Defaults(
                  name(), 64, ModelFacts.DEFAULT_STEPS, ModelFacts.DEFAULT_GUIDANCE_SCALE));
      return new Stages(encoder, unet, codec, FamilyRules.DEFAULT, facts, open.release());
    }
  }
}
