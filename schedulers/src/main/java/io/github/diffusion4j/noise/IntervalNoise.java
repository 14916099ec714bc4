package io.github.diffusion4j.noise;

/**
 * Noise that belongs to intervals of a time axis, as the increments of one Brownian path: what a
 * stochastic solver takes so that other step sizes see the same path.
 */
public interface IntervalNoise extends NoiseSource {

  /**
   * The path's increment over an interval, divided by the square root of the interval's length.
   *
   * @param dst overwritten with standard normal values
   * @param from one end of the interval
   * @param to the other end
   */
  void fill(float[] dst, double from, double to);
}
