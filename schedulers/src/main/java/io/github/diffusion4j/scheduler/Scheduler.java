package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Immutable recipe of a diffusion solver: which timesteps to visit and how to go from one to the
 * next.
 *
 * <p>A recipe may be shared between threads and used for any number of generations; everything that
 * changes during one generation lives in the {@link SchedulerRun} that {@link #start} makes. Users
 * may implement this interface and hand their own solver to a pipeline.
 */
public interface Scheduler {

  /**
   * Begins one generation.
   *
   * @param plan how many steps, or which, and where to start
   * @param shape number of images and of elements of each in the sample
   * @param noise where the noise of stochastic steps is drawn from, one whole sample at a time in
   *     the order of the steps; shared with whoever drew the initial noise
   * @return the state of this generation, for one thread
   * @throws IllegalArgumentException if this solver cannot follow the plan
   */
  SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise);

  /**
   * This solver with other arguments of a step: those that diffusers' pipelines hand to each {@code
   * step} call ({@code eta}, {@code s_churn}, {@code s_noise}, ...) or, beside the steps
   * themselves, to {@code set_timesteps}. A solver ignores those that are not its own, as the
   * reference's pipelines do.
   *
   * @param stepOptions names and values
   * @return a copy with them set
   * @throws IllegalArgumentException if no solver knows a name, or a value is out of range
   */
  default Scheduler with(Map<String, ?> stepOptions) {
    StepOptions.read(stepOptions);
    return this;
  }

  /**
   * This solver's options as a scheduler_config.json says them, beginning with {@code _class_name}.
   *
   * @return unmodifiable, in the order to be written; empty for a solver that diffusers lacks
   */
  default Map<String, Object> toConfig() {
    return Map.of();
  }
}
