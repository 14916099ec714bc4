package io.github.diffusion4j;

import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Map;

/**
 * What a generation begins with, which is what makes it text to image, image to image or another
 * task. Immutable values; the tasks that begin with a picture are in package {@code task}.
 */
public interface Init {

  /**
   * Fills in what the task knows better than the model, such as the picture's size, and refuses
   * what the model cannot do, before anything is computed.
   *
   * @param request as it was made
   * @param stages the model
   * @return the request, or one with less left open
   * @throws IllegalArgumentException if the model does not suit the task
   */
  default GenerationRequest prepare(GenerationRequest request, Stages stages) {
    requireExtraChannels(stages, 0);
    return request.controls().sized(request, stages);
  }

  /**
   * How the denoiser's branches are combined.
   *
   * @param guidance the family's, for which the prompts are encoded
   * @return the same, or one with other branches, which {@link Start#condition} then provides
   */
  default Guidance guidance(Guidance guidance) {
    return guidance;
  }

  /**
   * The steps that this task takes of a plan.
   *
   * @param plan the request's plan
   * @param rules the family's
   * @return the plan, or one that starts later
   */
  default StepPlan plan(StepPlan plan, FamilyRules rules) {
    return plan;
  }

  /**
   * Whether nothing but noise is painted on: text to image.
   *
   * @return false for whatever begins with a picture
   */
  default boolean beginsWithNoise() {
    return false;
  }

  /**
   * Makes the first latents, drawing noise in the order of diffusers.
   *
   * @param context the generation so far
   * @return where the loop begins
   */
  Start begin(Context context);

  /**
   * What a picture's record says of the task.
   *
   * @return names and values as JSON has them: {@code task} first
   */
  default Map<String, Object> description() {
    return Map.of("task", "given");
  }

  /**
   * Refuses a model whose denoiser takes another number of channels beside the latents.
   *
   * @param stages the model
   * @param channels how many the task gives
   * @throws IllegalArgumentException if it is another number
   */
  static void requireExtraChannels(Stages stages, int channels) {
    int taken = stages.denoiser().extraChannels();
    int latent = stages.codec().latentChannels();
    if (taken != channels) {
      String made =
          taken == 0
              ? "an ordinary model, for text to image, ImageToImage and Inpaint"
              : taken == latent + 1
                  ? "an inpainting model, for Inpaint"
                  : taken == latent
                      ? "a model that follows instructions, for InstructPix2Pix"
                      : taken == 3 ? "an upscaler, for Upscale" : "for another task";
      throw new IllegalArgumentException(
          "this task gives the denoiser %d channels, but the denoiser of %s takes %d: it is %s; use that or another model"
              .formatted(latent + channels, stages.facts().name(), latent + taken, made));
    }
  }

  /**
   * A generation before its first step.
   *
   * @param request with nothing left open
   * @param stages the model
   * @param run the solver at its first step
   * @param noise where noise is drawn from
   * @param shape of the latents
   * @param cancel stops a running network
   */
  record Context(
      GenerationRequest request,
      Stages stages,
      SchedulerRun run,
      NoiseSource noise,
      LatentShape shape,
      CancelToken cancel) {

    /**
     * The model's autoencoder.
     *
     * @return encodes pictures
     */
    public LatentCodec codec() {
      return stages.codec();
    }

    /**
     * The same with noise from elsewhere.
     *
     * @param other where noise is drawn from
     * @return a copy
     */
    public Context withNoise(NoiseSource other) {
      return new Context(request, stages, run, other, shape, cancel);
    }
  }

  /** Where the loop begins, and what it keeps to. One generation, one thread. */
  @FunctionalInterface
  interface Start {

    /**
     * The first latents.
     *
     * @return NCHW; the loop's own from now on
     */
    float[] latents();

    /**
     * Puts back what a step must not change. Called after each step.
     *
     * @param run the solver after the step
     * @param x the latents; may be changed
     */
    default void blend(SchedulerRun run, float[] x) {}

    /**
     * Adds what the denoiser must see of the picture.
     *
     * @param conditioning what the prompts gave
     * @return the same, or with more inputs
     */
    default Conditioning condition(Conditioning conditioning) {
      return conditioning;
    }

    /**
     * How a picture beside the painted one is seen, such as cropped to the part that is painted.
     *
     * @param pictures that steer the painting
     * @return the same, or a part of them
     */
    default PictureSource view(PictureSource pictures) {
      return pictures;
    }

    /**
     * Finishes the painted pictures, such as by setting them into a larger one.
     *
     * @param images as decoded
     * @return the same, or others
     */
    default List<BufferedImage> finish(List<BufferedImage> images) {
      return images;
    }
  }

  /** Pure noise, drawn from the request's seeds: text to image. */
  record FromNoise() implements Init {
    @Override
    public boolean beginsWithNoise() {
      return true;
    }

    @Override
    public Map<String, Object> description() {
      return Map.of("task", "noise");
    }

    @Override
    public Start begin(Context context) {
      float[] x = new float[context.shape().total()];
      context.noise().fill(x);
      scale(x, context.run());
      return () -> x;
    }
  }

  /**
   * Given noise in place of drawn noise.
   *
   * @param noise standard normal values, scaled to the solver's first noise level like drawn ones
   */
  record FromLatents(Floats noise) implements Init {
    @Override
    public boolean beginsWithNoise() {
      return true;
    }

    @Override
    public Start begin(Context context) {
      float[] x = noise.toArray();
      LatentShape shape = context.shape();
      if (x.length != shape.total()) {
        throw new IllegalArgumentException(
            "latents have %d values, expected %d for %s".formatted(x.length, shape.total(), shape));
      }
      scale(x, context.run());
      return () -> x;
    }
  }

  private static void scale(float[] x, SchedulerRun run) {
    float sigma = (float) run.initNoiseSigma();
    for (int i = 0; i < x.length; i++) {
      x[i] *= sigma;
    }
  }
}
