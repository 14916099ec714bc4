package io.github.diffusion4j.noise;

import static java.util.Objects.requireNonNull;

/** Spherical interpolation of two sources. */
final class SlerpNoise implements NoiseSource {

  /** Above this cosine the two are as good as parallel and are mixed along the line. */
  private static final double PARALLEL = 0.9995;

  private final NoiseSource base;
  private final NoiseSource variation;
  private final double strength;
  private float[] other = new float[0];

  SlerpNoise(NoiseSource base, NoiseSource variation, double strength) {
    this.base = requireNonNull(base, "base");
    this.variation = requireNonNull(variation, "variation");
    if (!(strength >= 0 && strength <= 1)) {
      throw new IllegalArgumentException("strength must be from 0 to 1, got " + strength);
    }
    this.strength = strength;
  }

  @Override
  public void fill(float[] dst) {
    if (other.length != dst.length) {
      other = new float[dst.length];
    }
    base.fill(dst);
    variation.fill(other);
    double dot = 0;
    double baseSquare = 0;
    double otherSquare = 0;
    for (int i = 0; i < dst.length; i++) {
      dot += (double) dst[i] * other[i];
      baseSquare += (double) dst[i] * dst[i];
      otherSquare += (double) other[i] * other[i];
    }
    double cosine = dot / Math.sqrt(baseSquare * otherSquare);
    double first = 1 - strength;
    double second = strength;
    if (Math.abs(cosine) < PARALLEL) {
      double angle = Math.acos(cosine);
      first = Math.sin((1 - strength) * angle) / Math.sin(angle);
      second = Math.sin(strength * angle) / Math.sin(angle);
    }
    for (int i = 0; i < dst.length; i++) {
      dst[i] = (float) (first * dst[i] + second * other[i]);
    }
  }
}
