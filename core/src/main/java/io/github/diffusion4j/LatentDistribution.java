package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Arrays;

/**
 * What an autoencoder's encoder says of pictures: for each latent value a mean and a standard
 * deviation, not scaled yet (Kingma and Welling 2013, arXiv 1312.6114). Immutable.
 */
public final class LatentDistribution {

  private final float[] mean;
  private final float[] deviation;
  private final LatentShape shape;

  private LatentDistribution(float[] mean, float[] deviation, LatentShape shape) {
    if (mean.length != requireNonNull(shape, "shape").total()) {
      throw new IllegalArgumentException("%d latents do not fill %s".formatted(mean.length, shape));
    }
    this.mean = mean;
    this.deviation = deviation;
    this.shape = shape;
  }

  /**
   * Latents without doubt: of an autoencoder that does not sample, or has sampled already.
   *
   * @param latents NCHW; taken over
   * @param shape their shape
   * @return a distribution that draws no noise
   */
  public static LatentDistribution certain(float[] latents, LatentShape shape) {
    return new LatentDistribution(latents, new float[0], shape);
  }

  /**
   * Latents of a variational autoencoder.
   *
   * @param parameters [B, 2 · channels, H, W]: of each picture the means, then the logarithms of
   *     the variances, which count as in [-30, 20]
   * @param shape of the latents
   * @return their distribution
   */
  public static LatentDistribution of(float[] parameters, LatentShape shape) {
    if (parameters.length != 2L * shape.total()) {
      throw new IllegalArgumentException(
          "%d latent parameters are not mean and log variance of %s"
              .formatted(parameters.length, shape));
    }
    int size = shape.elements();
    float[] mean = new float[shape.total()];
    float[] deviation = new float[shape.total()];
    for (int image = 0; image < shape.batch(); image++) {
      System.arraycopy(parameters, 2 * image * size, mean, image * size, size);
      for (int i = 0; i < size; i++) {
        float logVariance = parameters[(2 * image + 1) * size + i];
        double clamped = Math.max(-30, Math.min(20, logVariance));
        deviation[image * size + i] = (float) Math.exp(0.5 * clamped);
      }
    }
    return new LatentDistribution(mean, deviation, shape);
  }

  /**
   * Shape of the latents.
   *
   * @return NCHW
   */
  public LatentShape shape() {
    return shape;
  }

  /**
   * Whether {@link #sample} draws no noise.
   *
   * @return true where there is no deviation
   */
  public boolean isCertain() {
    return deviation.length == 0;
  }

  /**
   * The most likely latents.
   *
   * @return the means, a fresh array
   */
  public float[] mode() {
    return mean.clone();
  }

  /**
   * Latents drawn from the distribution.
   *
   * @param noise drawn from once, for the whole batch; not at all where the latents are certain
   * @return a fresh array
   */
  public float[] sample(NoiseSource noise) {
    if (isCertain()) {
      return mode();
    }
    float[] latents = new float[mean.length];
    noise.fill(latents);
    for (int i = 0; i < latents.length; i++) {
      latents[i] = mean[i] + deviation[i] * latents[i];
    }
    return latents;
  }

  /**
   * The same for more images: each picture's latents for as many images, one after the other.
   *
   * @param images a multiple of the pictures
   * @return a distribution of that many images
   */
  public LatentDistribution repeat(int images) {
    if (images == shape.batch()) {
      return this;
    }
    LatentShape larger = new LatentShape(images, shape.channels(), shape.height(), shape.width());
    return new LatentDistribution(
        repeat(mean, shape.batch(), images), repeat(deviation, shape.batch(), images), larger);
  }

  /**
   * Rows for more images: each row as often as its picture has images.
   *
   * @param values rows one after the other
   * @param rows how many there are
   * @param images a multiple of the rows
   * @return as many rows as images, a fresh array
   */
  public static float[] repeat(float[] values, int rows, int images) {
    if (images % rows != 0) {
      throw new IllegalArgumentException(
          "%d pictures cannot be shared among %d images".formatted(rows, images));
    }
    if (values.length == 0) {
      return values;
    }
    int row = values.length / rows;
    float[] repeated = Arrays.copyOf(values, Math.multiplyExact(images, row));
    for (int image = images - 1; image >= 0; image--) {
      System.arraycopy(values, image * rows / images * row, repeated, image * row, row);
    }
    return repeated;
  }
}
