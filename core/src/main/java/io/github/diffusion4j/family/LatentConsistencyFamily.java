package io.github.diffusion4j.family;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.util.Set;

/**
 * Latent consistency models (Luo et al. 2023, arXiv 2310.04378): a UNet distilled to a few steps
 * that takes the guidance scale as an embedding.
 */
final class LatentConsistencyFamily implements ModelFamily {

  private static final Set<String> PIPELINES =
      Set.of(
          "LatentConsistencyModelPipeline",
          "LatentConsistencyModelImg2ImgPipeline",
          "ORTLatentConsistencyModelPipeline",
          "ORTLatentConsistencyModelImg2ImgPipeline");
  private static final String HIDDEN = "encoder_hidden_states";

  /** A part of the distilled steps is spread anew over the plan's, all of which are taken. */
  private static final FamilyRules RULES =
      new FamilyRules() {
        @Override
        public Guidance guidance(GenerationRequest request) {
          return GuidanceEmbedding.RULES.guidance(request);
        }

        @Override
        public StepPlan imageToImage(StepPlan plan, double strength) {
          return plan.withDistilledStrength(strength);
        }
      };

  @Override
  public String name() {
    return "latent-consistency";
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
      ClipPromptEncoder prompts =
          new ClipPromptEncoder(parts.clip(""), layout.config("text_encoder"));
      OrtLatentCodec codec = parts.codec();
      OrtDenoiserModel unet = parts.unet(codec, Set.of(HIDDEN, GuidanceEmbedding.INPUT));
      parts.checkLatents(unet, codec);
      parts.checkWidth(unet, HIDDEN, prompts.width());
      ModelFacts facts = parts.facts(unet, codec, new Components.Defaults(name(), 64, 4, 8.5));
      return new Stages(
          new GuidanceEmbedding(prompts, parts.guidanceWidth(unet)),
          parts.shared(unet),
          codec,
          RULES,
          facts,
          open.release());
    }
  }
}
