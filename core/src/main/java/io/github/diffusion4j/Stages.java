package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * An open model: the three networks of a pipeline and what the model says of itself. Thread-safe.
 *
 * @param encoder prompts to conditioning
 * @param denoiser latents and conditioning to predictions
 * @param codec latents to pictures
 * @param rules what the family does its own way
 * @param facts defaults of the model
 * @param resources closed with the stages: whatever the three hold open
 */
public record Stages(
    PromptEncoder encoder,
    DenoiserModel denoiser,
    LatentCodec codec,
    FamilyRules rules,
    ModelFacts facts,
    AutoCloseable resources)
    implements AutoCloseable {

  /** Checks that nothing is missing. */
  public Stages {
    requireNonNull(encoder, "encoder");
    requireNonNull(denoiser, "denoiser");
    requireNonNull(codec, "codec");
    requireNonNull(rules, "rules");
    requireNonNull(facts, "facts");
    requireNonNull(resources, "resources");
  }

  /**
   * Pixels of which a picture's sides must be multiples.
   *
   * @return such as 64: of a UNet that halves latents three times, each cell 8 pixels
   */
  public int sizeMultiple() {
    return codec.factor() * Math.max(rules.patch(), denoiser.sideMultiple());
  }

  /**
   * These stages changed by LoRAs.
   *
   * @param loras what to change
   * @return a copy that must not be closed, for it shares all resources; these if there is no LoRA
   * @throws IllegalArgumentException if the model takes no such changes
   * @throws ModelFormatException if a LoRA is for another kind of model
   */
  public Stages with(LoraSet loras) {
    return loras.isEmpty()
        ? this
        : new Stages(encoder.with(loras), denoiser.with(loras), codec, rules, facts, resources);
  }

  @Override
  public void close() {
    try {
      resources.close();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("cannot close the model " + facts.name(), e);
    }
  }
}
