package io.github.diffusion4j;

import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.SchedulerRun;

/** What a generation begins with. Immutable. */
public sealed interface Init {

  /**
   * Makes the first latents.
   *
   * @param run the solver at the generation's first step
   * @param noise where noise is drawn from
   * @param shape of the latents
   * @return a fresh array of {@code shape.total()} values
   */
  float[] latents(SchedulerRun run, NoiseSource noise, LatentShape shape);

  /** Pure noise, drawn from the request's seeds: text to image. */
  record FromNoise() implements Init {
    @Override
    public float[] latents(SchedulerRun run, NoiseSource noise, LatentShape shape) {
      float[] x = new float[shape.total()];
      noise.fill(x);
      return scaled(x, run);
    }
  }

  /**
   * Given noise in place of drawn noise.
   *
   * @param noise standard normal values, scaled to the solver's first noise level like drawn ones
   */
  record FromLatents(Floats noise) implements Init {
    @Override
    public float[] latents(SchedulerRun run, NoiseSource source, LatentShape shape) {
      float[] x = noise.toArray();
      if (x.length != shape.total()) {
        throw new IllegalArgumentException(
            "latents have %d values, expected %d for %s".formatted(x.length, shape.total(), shape));
      }
      return scaled(x, run);
    }
  }

  private static float[] scaled(float[] x, SchedulerRun run) {
    float sigma = (float) run.initNoiseSigma();
    for (int i = 0; i < x.length; i++) {
      x[i] *= sigma;
    }
    return x;
  }
}
