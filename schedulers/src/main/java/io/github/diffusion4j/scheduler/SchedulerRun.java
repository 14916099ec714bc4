package io.github.diffusion4j.scheduler;

/**
 * State of one generation: the schedule in force, the place in it, and what the solver remembers of
 * earlier steps. Not thread-safe; one thread uses it from {@link Scheduler#start} to the last step.
 *
 * <p>The loop is
 *
 * <pre>{@code
 * while (run.index() < run.evaluations()) {
 *   run.scaleInput(x, in);
 *   model(in, run.timestep()) -> out
 *   run.step(out, x);
 * }
 * }</pre>
 *
 * Arrays are flat, one image after the other, and belong to the caller.
 */
public interface SchedulerRun {

  /**
   * How often the model is evaluated in this generation, from where the plan starts to its end.
   * Solvers of higher order evaluate more than once a step.
   *
   * @return number of {@link #step} calls until the end, at least 0
   */
  int evaluations();

  /**
   * The number of {@link #step} calls made so far.
   *
   * @return 0 to {@link #evaluations()}
   */
  int index();

  /**
   * The timestep to give the model for the next evaluation, in the model's units (0 to train steps,
   * possibly fractional).
   *
   * @return timestep at {@link #index()}
   * @throws IllegalStateException after the last step
   */
  double timestep();

  /**
   * The whole schedule as the reference implementation prints it, also the part that a start in the
   * middle leaves out.
   *
   * @return timesteps, a fresh array
   */
  double[] timesteps();

  /**
   * The noise levels of the whole schedule, for solvers that have them.
   *
   * @return sigmas, a fresh array; empty for solvers that work on timesteps alone
   */
  double[] sigmas();

  /**
   * What standard normal noise is multiplied with to make the first sample of a generation from
   * pure noise.
   *
   * @return standard deviation of the initial sample
   */
  double initNoiseSigma();

  /**
   * Writes the model's input for the next evaluation.
   *
   * @param x the sample, {@code shape.total()} values
   * @param dst overwritten with the scaled sample; may be {@code x}
   */
  void scaleInput(float[] x, float[] dst);

  /**
   * Takes one step and advances.
   *
   * @param modelOutput the model's answer for {@link #scaleInput}'s values at {@link #timestep()};
   *     twice the sample's values where the model also predicts a variance (for each image the
   *     prediction, then the variance); may be overwritten
   * @param x the sample; overwritten with the next one
   * @throws IllegalStateException after the last step
   */
  void step(float[] modelOutput, float[] x);

  /**
   * Noises a clean sample to the level of the next evaluation: the first sample of image to image
   * before any step, the known part of an inpainting between steps. After the last step the clean
   * sample itself.
   *
   * @param clean clean sample
   * @param noise standard normal noise
   * @param dst overwritten; may be {@code clean} or {@code noise}
   */
  void addNoise(float[] clean, float[] noise, float[] dst);

  /**
   * The solver's current estimate of the clean sample, for previews.
   *
   * @param dst overwritten with x₀ as the last step estimated it
   * @throws IllegalStateException before the first step
   */
  void denoised(float[] dst);
}
