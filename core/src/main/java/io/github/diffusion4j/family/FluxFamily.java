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
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * FLUX.1 dev and schnell: a flow matching transformer on packed latents, conditioned on T5's tokens
 * and CLIP's embedding of the whole prompt. Dev takes the guidance scale as an input; guidance by a
 * negative prompt comes on top, by {@link GuidanceOptions#trueScale}.
 */
final class FluxFamily implements ModelFamily {

  private static final Set<String> PIPELINES =
      Set.of("FluxPipeline", "FluxImg2ImgPipeline", "ORTFluxPipeline");
  private static final String T5 = "text_encoder_2";
  private static final String HIDDEN = "encoder_hidden_states";
  private static final String POOLED = "pooled_projections";
  private static final String GUIDANCE = "guidance";
  private static final String LAST = "last_hidden_state";
  private static final String POOLER = "pooler_output";

  @Override
  public String name() {
    return "flux";
  }

  @Override
  public boolean matches(ModelLayout layout) {
    return PIPELINES.contains(layout.pipelineClass());
  }

  /** Kohya's scripts call T5 the third text encoder, as in Stable Diffusion 3. */
  @Override
  public LoraSet named(LoraSet loras) {
    return loras.renamed("text_encoder_3", T5);
  }

  @Override
  public Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException {
    try (Closer open = new Closer()) {
      Components parts =
          Components.open(layout, runtime, open, "text_encoder", T5, "transformer", "vae_decoder");
      boolean guided = parts.model("transformer").inputs().containsKey(GUIDANCE);
      OrtDenoiserModel transformer = transformer(parts.model("transformer"), guided);
      OrtLatentCodec codec = parts.codec();
      checkPatches(layout, transformer, codec);
      Prompts prompts =
          new Prompts(parts.clip(""), new T5Sequence(parts.t5("_2"), T5Sequence.LONGEST), guided);
      parts.checkWidth(transformer, HIDDEN, prompts.t5.width());
      parts.checkWidth(transformer, POOLED, prompts.clip.pooled(POOLER).dim(1));
      ModelFacts facts =
          parts.facts(
              transformer, codec, new Components.Defaults(name(), 128, guided ? 28 : 4, 3.5));
      int trainSteps = layout.scheduler().positive("num_train_timesteps").orElse(1000);
      return new Stages(
          prompts,
          new PackedDenoiserModel(parts.shared(transformer), trainSteps),
          codec,
          new Rules(new FlowShift(facts.schedulerConfig())),
          facts,
          open.release());
    }
  }

  private static OrtDenoiserModel transformer(OrtModel model, boolean guided) {
    Set<String> conditions =
        new HashSet<>(
            Set.of(
                HIDDEN, POOLED, PackedDenoiserModel.IMAGE_PLACES, PackedDenoiserModel.TEXT_PLACES));
    if (guided) {
      conditions.add(GUIDANCE);
    }
    return new OrtDenoiserModel(model, "hidden_states", conditions);
  }

  private static void checkPatches(
      ModelLayout layout, OrtDenoiserModel transformer, OrtLatentCodec codec) {
    TensorSpec sample = transformer.sample();
    int packed = codec.latentChannels() * PackedDenoiserModel.PATCH * PackedDenoiserModel.PATCH;
    if (sample.rank() != 3 || sample.dim(2) > 0 && sample.dim(2) != packed) {
      throw new ModelFormatException(
          "%s: transformer input %s must be [batch, patches, %d] for the autoencoder's %d latent channels in patches of 2 x 2"
              .formatted(layout.folder(), sample, packed, codec.latentChannels()));
    }
  }

  private record Prompts(TextEncoder clip, T5Sequence t5, boolean guided) implements PromptEncoder {

    @Override
    public PromptEncoder with(LoraSet loras) {
      loras.requireOnlyEncoders(Set.of("text_encoder", T5));
      return new Prompts(clip.with(loras), t5.with(loras), guided);
    }

    @Override
    public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
      if (request.text().clipSkip().orElse(0) > 0) {
        throw new IllegalArgumentException(
            "clip skip must be 0: this model reads CLIP's embedding of the whole prompt, not its"
                + " layers; got "
                + request.text().clipSkip().getAsInt());
      }
      Function<String, TextFeatures> whole =
          TextRow.once(
              text ->
                  clip.encode(clip.tokens(text).toLongArray(), LAST, Optional.of(POOLER), cancel));
      Function<String, TextFeatures> tokens =
          TextRow.once(text -> t5.encode(text, request, cancel));
      EncodedRows rows =
          EncodedRows.of(
                  request,
                  guidance,
                  row -> tokens.apply(row.text(1)).withPooled(whole.apply(row.text(0)).pooled()))
              .hidden(HIDDEN)
              .pooled(POOLED);
      return (guided ? rows.number(GUIDANCE, request.guidance().scale().orElseThrow()) : rows)
          .conditioning();
    }
  }

  private record Rules(FlowShift shift) implements FamilyRules {

    @Override
    public Guidance guidance(GenerationRequest request) {
      return request.negativePrompts().isEmpty()
          ? new Guidance.None()
          : Guidance.of(request.guidance().withScale(request.guidance().trueScale()));
    }

    @Override
    public StepPlan plan(GenerationRequest request, LatentShape shape) {
      StepPlan plan = request.plan().orElseThrow();
      if (plan instanceof StepPlan.Count count && !shift.spacesSigmas(request)) {
        plan = new StepPlan.Sigmas(even(count.steps()), List.of(), plan.options());
      }
      if (plan.options().start() instanceof StepPlan.Start.Noise) {
        plan = plan.withBegin();
      }
      int side = PackedDenoiserModel.PATCH;
      return shift.shifted(plan, request, (shape.height() / side) * (shape.width() / side));
    }

    /** From 1 to 1/n, evenly. */
    private static List<Double> even(int steps) {
      return IntStream.range(0, steps).mapToObj(i -> (double) (steps - i) / steps).toList();
    }

    @Override
    public int patch() {
      return PackedDenoiserModel.PATCH;
    }
  }
}
