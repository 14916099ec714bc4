package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Optional;

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
    return Guidance.of(request.guidance());
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
   * The part of a plan that image to image takes.
   *
   * @param plan all steps
   * @param strength share of them to take, above 0 to 1
   * @return the plan, starting later
   */
  default StepPlan imageToImage(StepPlan plan, double strength) {
    return plan.withStrength(strength);
  }

  /**
   * How an upscaling model takes its low resolution picture.
   *
   * @return empty for a model that does not upscale
   */
  default Optional<LowResolution> lowResolution() {
    return Optional.empty();
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

  /**
   * Latent cells that a picture has at most along each side.
   *
   * @return no limit, but for a transformer whose table of places ends
   */
  default int longestSide() {
    return Integer.MAX_VALUE;
  }
}
