package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.LatentsToImage;

/**
 * Two models that share the steps of one generation (Podell et al. 2023, arXiv 2307.01952, section
 * 2.5): the base model paints the noisy part, the refiner the rest. Latents are handed over as they
 * are; nothing is decoded between.
 *
 * <pre>{@code
 * BaseAndRefiner.at(0.8).generate(base, refiner, request).save(Path.of("picture.png"));
 * }</pre>
 *
 * @param share share of the training steps, from pure noise, that the base model does, above 0 and
 *     below 1
 */
public record BaseAndRefiner(double share) {

  /** Checks the range. */
  public BaseAndRefiner {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException(
          "the base model's share must be above 0 and below 1, got " + share);
    }
  }

  /**
   * A hand-over.
   *
   * @param share share of the training steps that the base model does, such as 0.8
   * @return the hand-over
   */
  public static BaseAndRefiner at(double share) {
    return new BaseAndRefiner(share);
  }

  /**
   * Paints with both models.
   *
   * @param base paints the first steps
   * @param refiner paints the last steps
   * @param request steps, guidance and seeds of both; what it leaves open is the base model's
   * @return the refiner's pictures
   */
  public GenerationResult generate(
      StableDiffusionPipeline base, StableDiffusionPipeline refiner, GenerationRequest request) {
    return generate(base, refiner, request, StepListener.NONE, new CancelToken());
  }

  /**
   * Paints with both models, telling a listener of the steps of both.
   *
   * @param base paints the first steps
   * @param refiner paints the last steps
   * @param request steps, guidance and seeds of both; what it leaves open is the base model's
   * @param listener hears of the base model's steps, then of the refiner's
   * @param cancel stops either
   * @return the refiner's pictures
   * @throws IllegalArgumentException if the models' latents are not of one kind
   */
  public GenerationResult generate(
      StableDiffusionPipeline base,
      StableDiffusionPipeline refiner,
      GenerationRequest request,
      StepListener listener,
      CancelToken cancel) {
    LatentCodec from = base.stages().codec();
    LatentCodec to = refiner.stages().codec();
    if (from.factor() != to.factor() || from.latentChannels() != to.latentChannels()) {
      throw new IllegalArgumentException(
          "latents of %s (%d channels, 1/%d of the pixels) are not those of %s (%d channels, 1/%d); a refiner shares the base model's autoencoder"
              .formatted(
                  base.facts().name(),
                  from.latentChannels(),
                  from.factor(),
                  refiner.facts().name(),
                  to.latentChannels(),
                  to.factor()));
    }
    GenerationRequest tagged = base.withTaggedLoras(request);
    GenerationRequest whole = tagged.init().prepare(tagged, base.stages()).resolve(base.facts());
    StepPlan plan = whole.plan().orElseThrow();
    Painting.Denoised first =
        base.denoise(
            whole.toBuilder().plan(plan.withDenoisingEnd(share)).build(), listener, cancel);
    LatentsToImage handed =
        new LatentsToImage(Floats.of(first.latents()), new StepPlan.Start.Share(share));
    GenerationRequest rest =
        whole.toBuilder().init(handed).controls().withoutImagePrompt().loras().build();
    return refiner.generate(rest, listener, cancel);
  }
}
