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
}
