package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.StepPlan;

/**
 * What a family does its own way besides its networks. The defaults are those of Stable Diffusion.
 */
public interface FamilyRules {

  /** The rules of Stable Diffusion 1 and 2. */
  FamilyRules DEFAULT = new FamilyRules() {};

  /**
   * How a request is guided.
   *
   * @param request with nothing left open
   * @return classifier-free guidance where the scale is above 1
   */
  default Guidance guidance(GenerationRequest request) {
    return Guidance.of(request.guidanceScale().orElseThrow(), request.guidanceRescale());
  }

  /**
   * The steps of a request.
   *
   * @param request with nothing left open
   * @param shape of the latents
   * @return the request's plan, with what the family adds for this size
   */
  default StepPlan plan(GenerationRequest request, LatentShape shape) {
    return request.plan().orElseThrow();
  }

  /**
   * Latent cells that the denoiser takes together along each axis: a picture's sides are multiples
   * of so many cells.
   *
   * @return 1 for a UNet, the patch size of a transformer
   */
  default int patch() {
    return 1;
  }
}
