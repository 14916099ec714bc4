package io.github.diffusion4j.loop;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.GuidanceRun;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.scheduler.SchedulerRun;
import java.util.Objects;

/**
 * From noise to latents: the one loop that every family and task goes through. Allocates its three
 * buffers once and nothing in a step.
 *
 * @param denoiser predicts for the branches that guidance asks for at each evaluation
 * @param guidance makes one prediction of them
 * @param blend puts back after every step what it must not change
 * @param cancel looked at before every step
 * @param listener told after every step
 */
public record DenoiseLoop(
    Denoiser denoiser, Guidance guidance, Blend blend, CancelToken cancel, StepListener listener) {

  /** Puts back what a step must not change. */
  @FunctionalInterface
  public interface Blend {

    /** Puts back nothing. */
    Blend NONE = (run, x) -> {};

    /**
     * Called after each step.
     *
     * @param run the solver after the step
     * @param x the latents; may be changed
     */
    void apply(SchedulerRun run, float[] x);
  }

  /** Checks that nothing is missing. */
  public DenoiseLoop {
    Objects.requireNonNull(denoiser, "denoiser");
    Objects.requireNonNull(guidance, "guidance");
    Objects.requireNonNull(blend, "blend");
    Objects.requireNonNull(cancel, "cancel");
    Objects.requireNonNull(listener, "listener");
  }

  /**
   * Runs all steps.
   *
   * @param run the solver at the generation's first step
   * @param x the initial latents; overwritten with the final ones
   * @param shape of the latents
   */
  public void run(SchedulerRun run, float[] x, LatentShape shape) {
    if (x.length != shape.total()) {
      throw new IllegalArgumentException("latents have " + x.length + " values, not " + shape);
    }
    GuidanceRun guided = guidance.start(run.evaluations() - run.index(), shape);
    float[] in = new float[x.length];
    float[] out = new float[x.length * guidance.branches()];
    float[] prediction = guidance.branches() == 1 ? out : in;
    StepEvent event = new StepEvent(run, x, shape);
    listener.onStart(event);
    while (run.index() < run.evaluations()) {
      cancel.throwIfCancelled();
      double timestep = run.timestep();
      run.scaleInput(x, in);
      denoiser.predict(in, timestep, out);
      guided.combine(out, prediction);
      run.step(prediction, x);
      blend.apply(run, x);
      listener.onStep(event.at(timestep));
    }
  }
}
