package io.github.diffusion4j;

import java.util.function.UnaryOperator;

/** Pictures as prompts to what a denoiser is told of them. Thread-safe. */
public interface ImagePromptEncoder {

  /** Of a denoiser that is told nothing of pictures. */
  ImagePromptEncoder NONE =
      new ImagePromptEncoder() {
        @Override
        public void check(GenerationRequest request) {
          if (request.imagePrompt().isPresent()) {
            throw new IllegalArgumentException(
                "this model takes no image prompt: its denoiser has no input image_embeds; take a"
                    + " model that was exported with an IP-Adapter");
          }
        }

        @Override
        public UnaryOperator<Conditioning> encode(GenerationRequest request, CancelToken cancel) {
          return UnaryOperator.identity();
        }
      };

  /**
   * Refuses what the model cannot do, before anything is computed.
   *
   * @param request to be painted
   * @throws IllegalArgumentException if the model takes no image prompt, asks for one that is not
   *     there, or cannot scale it
   */
  void check(GenerationRequest request);

  /**
   * Encodes a request's pictures, once a generation.
   *
   * @param request with or without an image prompt, checked
   * @param cancel stops a running network
   * @return adds the pictures to a conditioning of the request's prompts, whose first branch is the
   *     negative one where there are several: that branch is told nothing of them
   * @throws ModelFormatException if the encoder gives what the denoiser does not take
   */
  UnaryOperator<Conditioning> encode(GenerationRequest request, CancelToken cancel);
}
