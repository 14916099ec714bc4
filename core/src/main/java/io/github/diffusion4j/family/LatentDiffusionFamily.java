package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Latent diffusion without text (Rombach et al. 2022, arXiv 2112.10752, sections 4.2 and 4.3): of
 * nothing but noise, or of a class, whose number is the prompt. The autoencoder is a VQ or KL one.
 */
final class LatentDiffusionFamily implements ModelFamily {

  private static final String UNCONDITIONAL = "LDMPipeline";
  private static final String OF_CLASSES = "ClassConditionalLDMPipeline";
  private static final String HIDDEN = "encoder_hidden_states";
  private static final String EMBEDDER = "class_embedder";

  @Override
  public String name() {
    return "latent-diffusion";
  }

  @Override
  public boolean matches(ModelLayout layout) {
    return Set.of(UNCONDITIONAL, OF_CLASSES).contains(layout.pipelineClass());
  }

  @Override
  public Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException {
    boolean classes = layout.pipelineClass().equals(OF_CLASSES);
    try (Closer open = new Closer()) {
      Components parts =
          classes
              ? Components.open(layout, runtime, open, "unet", "vae_decoder", EMBEDDER)
              : Components.open(layout, runtime, open, "unet", "vae_decoder");
      OrtDenoiserModel unet =
          new OrtDenoiserModel(parts.model("unet"), "sample", classes ? Set.of(HIDDEN) : Set.of());
      OrtLatentCodec codec = parts.codec();
      parts.checkLatents(unet, codec);
      ModelFacts facts =
          parts.facts(
              unet,
              codec,
              new Components.Defaults(name(), 64, ModelFacts.DEFAULT_STEPS, classes ? 3 : 1));
      if (!classes) {
        return new Stages(
            LatentDiffusionFamily::nothing,
            parts.shared(unet),
            codec,
            new Unguided(),
            facts,
            open.release());
      }
      Classes embedder = new Classes(parts.model(EMBEDDER), layout.config(EMBEDDER));
      parts.checkWidth(unet, HIDDEN, embedder.model.output(Classes.HIDDEN_STATE).dim(2));
      return new Stages(
          embedder, parts.shared(unet), codec, FamilyRules.DEFAULT, facts, open.release());
    }
  }

  private static Conditioning nothing(
      GenerationRequest request, Guidance guidance, CancelToken cancel) {
    for (String prompt : request.prompts()) {
      if (!prompt.isEmpty()) {
        throw new IllegalArgumentException(
            "this model paints without a prompt; leave it empty, got \"" + prompt + "\"");
      }
    }
    return new Conditioning(guidance.branches(), request.images(), List.of());
  }

  private record Unguided() implements FamilyRules {
    @Override
    public Guidance guidance(GenerationRequest request) {
      return new Guidance.None();
    }
  }

  /** Embeds the numbers of classes; the negative branch is the class of no class. */
  private static final class Classes implements PromptEncoder {

    private static final String LABELS = "class_labels";
    private static final String HIDDEN_STATE = "last_hidden_state";

    private final OrtModel model;
    private final int classes;
    private final int nullClass;

    Classes(OrtModel model, ConfigFile config) {
      this.model = model;
      model.require(model.input(LABELS), Set.of(ElementType.INT64, ElementType.INT32), Set.of(1));
      model.requireNoOtherInputs(Set.of(LABELS));
      model.require(model.output(HIDDEN_STATE), ElementType.FLOATS, Set.of(3));
      this.classes =
          config
              .positive("num_classes")
              .orElseThrow(
                  () ->
                      new ModelFormatException(
                          config.name() + ": \"num_classes\" is missing, the number of classes"));
      this.nullClass = config.integer("null_class").orElse(classes);
    }

    @Override
    public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
      return EncodedRows.of(
              request, guidance, row -> embed(row.given() ? label(row.text(0)) : nullClass, cancel))
          .hidden(HIDDEN)
          .conditioning();
    }

    private int label(String prompt) {
      try {
        int label = Integer.parseInt(prompt.strip());
        if (label >= 0 && label < classes || label == nullClass) {
          return label;
        }
      } catch (NumberFormatException e) {
        // said below
      }
      throw new IllegalArgumentException(
          "this model paints classes: the prompt must be a number in [0, %d], got \"%s\""
              .formatted(classes - 1, prompt));
    }

    private TextFeatures embed(int label, CancelToken cancel) {
      try (OrtBinding binding = model.bind(cancel)) {
        binding.input(LABELS, 1).put(new long[] {label});
        OrtOutput context = binding.fetch(Set.of(HIDDEN_STATE)).get(HIDDEN_STATE);
        return new TextFeatures(context.values(), context.dim(1), context.dim(2), new float[0]);
      }
    }
  }
}
