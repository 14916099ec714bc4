package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.BrownianTree;
import io.github.diffusion4j.noise.IntervalNoise;
import java.util.Arrays;
import java.util.OptionalLong;

/** One Brownian path over a schedule's sigmas for each image. */
final class BrownianPaths implements IntervalNoise {

  private final BrownianTree[] trees;
  private final float[] image;

  private BrownianPaths(BrownianTree[] trees, int elements) {
    this.trees = trees;
    image = new float[elements];
  }

  /**
   * Paths of a seed, one for all images together as in the reference; without one, of each image's
   * own noise.
   */
  static IntervalNoise of(OptionalLong seed, GridRun run, float[] noise) {
    double[] levels = Arrays.stream(run.sigmas()).filter(sigma -> sigma > 0).toArray();
    double least = Arrays.stream(levels).min().orElse(0);
    double greatest = Arrays.stream(levels).max().orElse(1);
    if (least == greatest) {
      least = 0;
    }
    if (seed.isPresent()) {
      return new BrownianTree(seed.getAsLong(), least, greatest);
    }
    SampleShape shape = run.shape();
    BrownianTree[] trees = new BrownianTree[shape.batch()];
    for (int i = 0; i < trees.length; i++) {
      float[] own = Arrays.copyOfRange(noise, i * shape.elements(), (i + 1) * shape.elements());
      long hash = 0;
      for (float value : own) {
        hash = hash * 0x5851F42D4C957F2DL + Float.floatToIntBits(value) + 1;
      }
      trees[i] = new BrownianTree(hash, least, greatest);
    }
    return new BrownianPaths(trees, shape.elements());
  }

  @Override
  public void fill(float[] dst) {
    for (int i = 0; i < trees.length; i++) {
      trees[i].fill(image);
      System.arraycopy(image, 0, dst, i * image.length, image.length);
    }
  }

  @Override
  public void fill(float[] dst, double from, double to) {
    for (int i = 0; i < trees.length; i++) {
      trees[i].fill(image, from, to);
      System.arraycopy(image, 0, dst, i * image.length, image.length);
    }
  }
}
