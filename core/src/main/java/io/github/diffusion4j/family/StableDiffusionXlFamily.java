package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.SizeConditioning;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952) and what is distilled from it (Turbo,
 * Lightning, Hyper, LCM). The base model has two CLIP text encoders and is told sizes; the refiner
 * has the second encoder alone and is told an aesthetic score in place of the target size.
 */
final class StableDiffusionXlFamily implements ModelFamily {

  private static final Set<String> PIPELINES =
      Set.of(
          "StableDiffusionXLPipeline",
          "OnnxStableDiffusionXLPipeline",
          "ORTStableDiffusionXLPipeline",
          "StableDiffusionXLImg2ImgPipeline",
          "ORTStableDiffusionXLImg2ImgPipeline",
          "StableDiffusionXLInpaintPipeline",
          "ORTStableDiffusionXLInpaintPipeline",
          "StableDiffusionXLControlNetPipeline",
          "StableDiffusionXLControlNetImg2ImgPipeline",
          "StableDiffusionXLControlNetInpaintPipeline");
  private static final String HIDDEN = "encoder_hidden_states";
  private static final String POOLED = "text_embeds";
  private static final String SIZES = "time_ids";

  @Override
  public String name() {
    return "stable-diffusion-xl";
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
    boolean refiner = layout.index().flag("requires_aesthetics_score").orElse(false);
    boolean both = layout.names("text_encoder");
    try (Closer open = new Closer()) {
      String[] names = {"text_encoder_2", "unet", "vae_decoder", "text_encoder"};
      Components parts =
          Components.open(layout, runtime, open, java.util.Arrays.copyOf(names, both ? 4 : 3));
      ClipLayers second =
          new ClipLayers(parts.clip("_2"), layout.config("text_encoder_2"), Optional.of(POOLED));
      ClipEncoders encoders =
          new ClipEncoders(
              both
                  ? List.of(
                      new ClipLayers(
                          parts.clip(""), layout.config("text_encoder"), Optional.empty()),
                      second)
                  : List.of(second));
      OrtLatentCodec codec = parts.codec();
      OrtDenoiserModel unet = unet(parts, codec);
      parts.checkLatents(unet, codec);
      parts.checkWidth(unet, HIDDEN, encoders.width());
      parts.checkWidth(unet, POOLED, encoders.pooledWidth());
      parts.checkWidth(unet, SIZES, refiner ? 5 : 6);
      boolean zeros = layout.index().flag("force_zeros_for_empty_prompt").orElse(true);
      PromptEncoder prompts = new Prompts(encoders, zeros, refiner);
      boolean distilled = parts.model("unet").inputs().containsKey(GuidanceEmbedding.INPUT);
      ModelFacts facts =
          parts.facts(
              unet, codec, new Components.Defaults(name(), 128, ModelFacts.DEFAULT_STEPS, 5));
      return new Stages(
          distilled ? new GuidanceEmbedding(prompts, parts.guidanceWidth(unet)) : prompts,
          parts.shared(unet),
          codec,
          distilled ? GuidanceEmbedding.RULES : FamilyRules.DEFAULT,
          facts,
          open.release());
    }
  }

  private static OrtDenoiserModel unet(Components parts, OrtLatentCodec codec) throws IOException {
    Set<String> conditions = new HashSet<>(Set.of(HIDDEN, POOLED, SIZES));
    if (parts.model("unet").inputs().containsKey(GuidanceEmbedding.INPUT)) {
      conditions.add(GuidanceEmbedding.INPUT);
    }
    return parts.unet(codec, conditions);
  }

  /**
   * Prompts and sizes to conditioning.
   *
   * @param encoders each reads a text of its own; the last one gives the pooled embedding
   * @param zeros whether no negative prompt means zeros rather than the empty text
   * @param refiner whether an aesthetic score stands in place of the target size
   */
  private record Prompts(ClipEncoders encoders, boolean zeros, boolean refiner)
      implements PromptEncoder {

    @Override
    public PromptEncoder with(LoraSet loras) {
      loras.requireOnlyEncoders(encoders.components());
      return new Prompts(encoders.with(loras), zeros, refiner);
    }

    @Override
    public boolean reads(PromptOptions options) {
      return true;
    }

    @Override
    public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
      List<TextRow> all = TextRow.of(request, guidance);
      List<TextRow> read = all.stream().filter(row -> row.given() || !zeros).toList();
      Map<TextRow, TextFeatures> embedded = encoders.embed(read, request, cancel);
      TextFeatures nothing = embedded.get(read.get(0)).zeros();
      EncodedRows rows =
          EncodedRows.of(request, guidance, row -> embedded.getOrDefault(row, nothing))
              .hidden(HIDDEN)
              .pooled(POOLED);
      SizeConditioning.Sizes told = request.sizes().prompt();
      if (guidance.branches() > 1) {
        rows.perBranch(SIZES, numbers(negative(request), request), numbers(told, request));
      } else {
        rows.perBranch(SIZES, numbers(told, request));
      }
      return rows.conditioning();
    }

    /**
     * What the reference tells with the negative prompt. Text to image: the prompt's, unless both
     * sizes are given; with a picture: each size for itself, and a base model the prompt's crop.
     */
    private SizeConditioning.Sizes negative(GenerationRequest request) {
      SizeConditioning.Sizes prompt = request.sizes().prompt();
      SizeConditioning.Sizes negative = request.sizes().negative();
      if (!refiner && request.init().beginsWithNoise()) {
        return negative.original().isPresent() && negative.target().isPresent() ? negative : prompt;
      }
      return new SizeConditioning.Sizes(
          negative.original().or(prompt::original),
          refiner ? negative.crop() : prompt.crop(),
          negative.target().or(prompt::target),
          negative.aestheticScore());
    }

    private float[] numbers(SizeConditioning.Sizes told, GenerationRequest request) {
      SizeConditioning.Size painted =
          new SizeConditioning.Size(request.width().orElseThrow(), request.height().orElseThrow());
      SizeConditioning.Size original = told.original().orElse(painted);
      SizeConditioning.Size target = told.target().orElse(painted);
      float height = original.height();
      float width = original.width();
      float top = told.crop().top();
      float left = told.crop().left();
      return refiner
          ? new float[] {height, width, top, left, (float) told.aestheticScore()}
          : new float[] {height, width, top, left, target.height(), target.width()};
    }
  }
}
