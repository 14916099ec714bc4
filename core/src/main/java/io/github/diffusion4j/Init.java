package io.github.diffusion4j;

import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;

/**
 * What a generation begins with, which is what makes it text to image, image to image or another
 * task. Immutable.
 */
public sealed interface Init {

  /**
   * The steps that this task takes of a plan.
   *
   * @param plan the request's plan
   * @return the plan, or one that starts later
   */
  default StepPlan plan(StepPlan plan) {
    return plan;
  }

  /**
   * Makes the first latents, drawing noise in the order of diffusers.
   *
   * @param context the generation so far
   * @return where the loop begins
   */
  Start begin(Context context);

  /**
   * A generation before its first step.
   *
   * @param codec encodes pictures
   * @param run the solver at its first step
   * @param noise where noise is drawn from
   * @param shape of the latents
   * @param cancel stops a running network
   */
  record Context(
      LatentCodec codec,
      SchedulerRun run,
      NoiseSource noise,
      LatentShape shape,
      CancelToken cancel) {}

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
  }

  /** Pure noise, drawn from the request's seeds: text to image. */
  record FromNoise() implements Init {
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
