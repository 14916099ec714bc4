package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206): a transformer that reads text
 * and picture in one sequence, two CLIP text encoders, and T5 where the model comes with it.
 */
final class StableDiffusion3Family implements ModelFamily {

  private static final Set<String> PIPELINES =
      Set.of(
          "StableDiffusion3Pipeline",
          "StableDiffusion3Img2ImgPipeline",
          "ORTStableDiffusion3Pipeline",
          "ORTStableDiffusion3Img2ImgPipeline");
  private static final String HIDDEN = "encoder_hidden_states";
  private static final String POOLED = "pooled_projections";
  private static final String TEXT_EMBEDS = "text_embeds";
  private static final String T5 = "text_encoder_3";
  private static final int T5_TOKENS = 256;

  @Override
  public String name() {
    return "stable-diffusion-3";
  }

  @Override
  public boolean matches(ModelLayout layout) {
    return PIPELINES.contains(layout.pipelineClass());
  }

  @Override
  public Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException {
    boolean third = layout.names(T5);
    if (third && !layout.has(T5)) {
      throw new ModelFormatException(
          layout.folder()
              + ": text_encoder_3/model.onnx is missing. Download the whole repository; or, to"
              + " paint without T5 (less memory, worse spelling and detail), write"
              + " \"text_encoder_3\": [null, null] in model_index.json");
    }
    try (Closer open = new Closer()) {
      String[] names = {"text_encoder", "text_encoder_2", "transformer", "vae_decoder", T5};
      Components parts =
          Components.open(layout, runtime, open, Arrays.copyOf(names, third ? 5 : 4));
      OrtDenoiserModel transformer =
          new OrtDenoiserModel(parts.model("transformer"), "hidden_states", Set.of(HIDDEN, POOLED));
      OrtLatentCodec codec = parts.codec();
      parts.checkLatents(transformer, codec);
      Prompts prompts = prompts(parts, transformer, third);
      parts.checkWidth(transformer, HIDDEN, prompts.width);
      parts.checkWidth(transformer, POOLED, prompts.clip.pooledWidth());
      ModelFacts facts =
          parts.facts(transformer, codec, new Components.Defaults(name(), 128, 28, 7));
      int patch = layout.config("transformer").positive("patch_size").orElse(2);
      int longest =
          layout
              .config("transformer")
              .positive("pos_embed_max_size")
              .map(places -> (int) Math.min(Integer.MAX_VALUE, (long) places * patch))
              .orElse(Integer.MAX_VALUE);
      Rules rules = new Rules(patch, longest, new FlowShift(facts.schedulerConfig()));
      return new Stages(prompts, parts.shared(transformer), codec, rules, facts, open.release());
    }
  }

  private static Prompts prompts(Components parts, OrtDenoiserModel transformer, boolean third)
      throws IOException {
    ModelLayout layout = parts.layout();
    Optional<T5Sequence> t5 =
        third ? Optional.of(new T5Sequence(parts.t5("_3"), T5_TOKENS)) : Optional.empty();
    ConfigFile config = layout.config("transformer");
    long declared = transformer.condition(HIDDEN).dim(2);
    int width =
        config
            .positive("joint_attention_dim")
            .orElseGet(() -> declared > 0 ? (int) declared : 4096);
    if (t5.isPresent() && t5.get().width() > 0 && t5.get().width() != width) {
      throw config.wrong(
          "joint_attention_dim", "the width of text_encoder_3, " + t5.get().width(), width);
    }
    return new Prompts(
        new ClipEncoders(
            List.of(
                new ClipLayers(
                    parts.clip(""), layout.config("text_encoder"), Optional.of(TEXT_EMBEDS)),
                new ClipLayers(
                    parts.clip("_2"), layout.config("text_encoder_2"), Optional.of(TEXT_EMBEDS)))),
        t5,
        width);
  }

  /**
   * Both CLIP encoders' embeddings side by side, filled up to T5's width, then T5's, or zeros.
   *
   * @param width of one token's embedding
   */
  private record Prompts(ClipEncoders clip, Optional<T5Sequence> t5, int width)
      implements PromptEncoder {

    @Override
    public PromptEncoder with(LoraSet loras) {
      Set<String> encoders = new HashSet<>(clip.components());
      t5.ifPresent(sequence -> encoders.add(T5));
      loras.requireOnlyEncoders(encoders);
      return new Prompts(clip.with(loras), t5.map(sequence -> sequence.with(loras)), width);
    }

    @Override
    public boolean reads(PromptOptions options) {
      return options.syntax() == PromptSyntax.PLAIN; // T5 would read the brackets
    }

    @Override
    public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
      Function<String, TextFeatures> sequences =
          TextRow.once(text -> sequence(text, request, cancel));
      Map<TextRow, TextFeatures> embedded =
          clip.embed(TextRow.of(request, guidance), request, cancel);
      return EncodedRows.of(
              request,
              guidance,
              row -> embedded.get(row).widened(width).then(sequences.apply(row.text(2))))
          .hidden(HIDDEN)
          .pooled(POOLED)
          .conditioning();
    }

    private TextFeatures sequence(String text, GenerationRequest request, CancelToken cancel) {
      if (t5.isPresent()) {
        return t5.get().encode(text, request, cancel);
      }
      int tokens = T5Sequence.length(request, T5_TOKENS);
      return new TextFeatures(new float[tokens * width], tokens, width, new float[0]);
    }
  }

  private record Rules(int patch, int longestSide, FlowShift shift) implements FamilyRules {
    @Override
    public StepPlan plan(GenerationRequest request, LatentShape shape) {
      int tokens = (shape.height() / patch) * (shape.width() / patch);
      return shift.shifted(request.plan().orElseThrow(), request, tokens);
    }
  }
}
