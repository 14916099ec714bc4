package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.scheduler.NoiseSchedule;

/**
 * How an upscaling model takes its low resolution picture: noised a little, and told how much (Ho
 * et al. 2021, arXiv 2106.15282).
 *
 * @param schedule noises the picture, at the noise level as its timestep
 * @param maxNoiseLevel highest noise level that the model knows
 */
public record LowResolution(NoiseSchedule schedule, int maxNoiseLevel) {

  /** Checks that there is a schedule. */
  public LowResolution {
    requireNonNull(schedule, "schedule");
    if (maxNoiseLevel < 0) {
      throw new IllegalArgumentException("max noise level must not be negative");
    }
  }
}
