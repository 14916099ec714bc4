package io.github.diffusion4j;

/** Turns the prompts of a request into what a denoiser is conditioned on. Thread-safe. */
@FunctionalInterface
public interface PromptEncoder {

  /**
   * Encodes the prompts of one generation.
   *
   * @param request with nothing left open
   * @param guidance says which branches are wanted
   * @param cancel stops a running network
   * @return rows for the negative prompts, where guidance has that branch, then for the prompts; in
   *     each branch one row for each image
   */
  Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel);

  /**
   * Whether prompts may be written and treated so.
   *
   * @param options language, weights and long prompts
   * @return true for plain text; of other options only those that the encoder heeds
   */
  default boolean reads(PromptOptions options) {
    return options.equals(PromptOptions.PLAIN);
  }

  /**
   * This encoder changed by LoRAs. The encoder itself stays as it is.
   *
   * @param loras with nothing for text encoders that the model does not have
   * @return the changed encoder, closed with this one; this one if nothing of it is changed
   * @throws IllegalArgumentException if it takes no such changes
   * @throws ModelFormatException if a LoRA is for another kind of model
   */
  default PromptEncoder with(LoraSet loras) {
    if (loras.components().keySet().stream().noneMatch(LoraSet::isTextEncoder)) {
      return this;
    }
    throw new IllegalArgumentException("this model's text encoders take no LoRA, got " + loras);
  }
}
