package io.github.diffusion4j.cli;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.GenerationRequest;

/**
 * One picture to paint.
 *
 * @param request a generation of its own; of several images only where an older picture asks for it
 * @param image which of the request's images is wanted, from 0
 */
record Job(GenerationRequest request, int image) {

  /** Checks that the image is one of the request's. */
  Job {
    requireNonNull(request, "request");
    if (image < 0 || image >= request.images()) {
      throw new IllegalArgumentException(
          "image must be in [0, %d), got %d".formatted(request.images(), image));
    }
  }

  /** The wanted image's prompt. */
  String prompt() {
    return request.promptOfEachImage().get(image);
  }

  /** The wanted image's seed, or the one that all images share. */
  long seed() {
    return request.seeds().get(request.seeds().size() == 1 ? 0 : image);
  }
}
