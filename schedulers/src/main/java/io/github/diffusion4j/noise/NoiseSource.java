package io.github.diffusion4j.noise;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A stream of standard normal numbers. Stateful and not thread-safe: one source serves one
 * generation.
 */
@FunctionalInterface
public interface NoiseSource {

  /**
   * Draws a whole tensor. One call is one draw of the reference ({@code torch.randn(shape)}): the
   * stream depends on how many values are drawn at once.
   *
   * @param dst overwritten with standard normal values
   */
  void fill(float[] dst);

  /**
   * Noise from any generator of the platform.
   *
   * @param generator asked for one {@code nextGaussian} a value
   * @return a source that owns the generator from now on
   */
  static NoiseSource of(RandomGenerator generator) {
    requireNonNull(generator, "generator");
    return dst -> {
      for (int i = 0; i < dst.length; i++) {
        dst[i] = (float) generator.nextGaussian();
      }
    };
  }

  /**
   * One source for each image of a batch, as a list of generators in the reference: image k of
   * several is then the image that source k paints alone.
   *
   * @param sources one for each image, in order; at least one
   * @return a source that splits each tensor evenly among the sources
   */
  static NoiseSource perImage(List<? extends NoiseSource> sources) {
    return sources.size() == 1 ? sources.get(0) : new PerImageNoise(List.copyOf(sources));
  }

  /**
   * Hands recorded draws out in order.
   *
   * @param draws one array for each draw, copied when drawn
   * @return a source that fails with IllegalStateException after the last draw, and with
   *     IllegalArgumentException where a draw's length differs from the recorded one
   */
  static IntervalNoise replay(List<float[]> draws) {
    return new ReplayNoise(draws);
  }

  /**
   * Noise between two sources along the sphere, which keeps it standard normal: variations of a
   * picture by a second seed.
   *
   * @param base the picture's own noise
   * @param variation the other noise
   * @param strength 0 gives {@code base}, 1 gives {@code variation}
   * @return a source that draws from both
   */
  static NoiseSource slerp(NoiseSource base, NoiseSource variation, double strength) {
    return new SlerpNoise(base, variation, strength);
  }
}
