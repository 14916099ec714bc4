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

  /**
   * {@link #up} as the reference rounds it; what is left for {@link #downInSingle} is sensitive.
   */
  static float upInSingle(float sigma, float next) {
    float square = sigma * sigma;
    float nextSquare = next * next;
    return (float) Math.sqrt(Math.max(nextSquare * (square - nextSquare) / square, 0f));
  }

  /** {@link #down} as the reference rounds it. */
  static float downInSingle(float next, float up) {
    return (float) Math.sqrt(Math.max(next * next - up * up, 0f));
  }
}
