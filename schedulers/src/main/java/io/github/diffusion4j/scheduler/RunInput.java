package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;

/** The arguments of {@link Scheduler#start}, checked. */
record RunInput(StepPlan plan, SampleShape shape, NoiseSource noise) {
  RunInput {
    requireNonNull(plan, "plan");
    requireNonNull(shape, "shape");
    requireNonNull(noise, "noise");
  }
}
