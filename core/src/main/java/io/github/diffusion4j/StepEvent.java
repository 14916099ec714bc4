package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.SchedulerRun;

/** Where a generation is. Valid only during the listener's call. */
public final class StepEvent {

  private final SchedulerRun run;
  private final float[] x;
  private final LatentShape shape;
  private double timestep;

  /**
   * One event object for a whole generation.
   *
   * @param run the scheduler's state
   * @param x the loop's latents, which the loop goes on changing
   * @param shape of the latents
   */
  public StepEvent(SchedulerRun run, float[] x, LatentShape shape) {
    this.run = run;
    this.x = x;
    this.shape = shape;
    this.timestep = Double.NaN;
  }

  /**
   * Moves on: for the loop.
   *
   * @param evaluated the timestep that was just evaluated
   * @return this
   */
  public StepEvent at(double evaluated) {
    timestep = evaluated;
    return this;
  }

  /**
   * Evaluations done.
   *
   * @return 0 at the start, {@link #evaluations()} at the end
   */
  public int evaluation() {
    return run.index();
  }

  /**
   * Evaluations of the whole generation.
   *
   * @return at least 0
   */
  public int evaluations() {
    return run.evaluations();
  }

  /**
   * The timestep just evaluated.
   *
   * @return in the model's units; NaN at the start
   */
  public double timestep() {
    return timestep;
  }

  /**
   * Shape of the latents.
   *
   * @return NCHW
   */
  public LatentShape shape() {
    return shape;
  }

  /**
   * The latents now.
   *
   * @return a copy, {@code shape().total()} values
   */
  public float[] latents() {
    return x.clone();
  }

  /**
   * The solver's estimate of the clean latents, for previews.
   *
   * @return a fresh array, {@code shape().total()} values
   * @throws IllegalStateException at the start, before any step
   */
  public float[] denoised() {
    float[] clean = new float[x.length];
    run.denoised(clean);
    return clean;
  }

  /**
   * Pictures of the solver's estimate of the clean latents.
   *
   * @param how such as {@link LatentColors}, or a tiny autoencoder
   * @return one for each image, with values nominally −1 to 1
   * @throws IllegalStateException at the start, before any step
   */
  public ImageTensor preview(LatentPreview how) {
    return how.preview(denoised(), shape);
  }
}
