package io.github.diffusion4j.scheduler;

/** How an ancestral step divides a change of sigma into a step down and noise up. */
final class Ancestral {

  private Ancestral() {}

  /** Deviation of the noise added. */
  static double up(double sigma, double next) {
    double square = next * next * (sigma * sigma - next * next) / (sigma * sigma);
    return Math.sqrt(Math.max(square, 0));
  }

  /** The sigma stepped down to, from which the noise leads up to the next one. */
  static double down(double next, double up) {
    return Math.sqrt(Math.max(next * next - up * up, 0));
  }
}
