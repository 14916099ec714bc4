package io.github.diffusion4j;

/** Adaptive projected guidance of one generation, with the average of its updates. */
final class ProjectedUpdate implements BranchCombiner {

  private static final double SHORTEST = 1e-12;

  private final GuidanceMethod.AdaptiveProjected method;
  private final int total;
  private final int size;
  private final float[] average; // empty without momentum

  ProjectedUpdate(GuidanceMethod.AdaptiveProjected method, LatentShape shape) {
    this.method = method;
    this.total = shape.total();
    this.size = shape.elements();
    this.average = new float[method.momentum() == 0 ? 0 : total];
  }

  @Override
  public void combine(float[] outputs, double scale, float[] dst) {
    for (int i = 0; i < total; i++) {
      dst[i] = outputs[total + i] - outputs[i];
    }
    addMomentum(dst);
    for (int from = 0; from < total; from += size) {
      shorten(dst, from);
      project(outputs, from, (float) scale, dst);
    }
  }

  private void addMomentum(float[] update) {
    float momentum = (float) method.momentum();
    for (int i = 0; i < average.length; i++) {
      average[i] = update[i] + momentum * average[i];
      update[i] = average[i];
    }
  }

  private void shorten(float[] update, int from) {
    double norm = method.normThreshold() == 0 ? 0 : BranchVectors.norm(update, from, size);
    if (norm > method.normThreshold()) {
      BranchVectors.multiply(update, from, size, (float) (method.normThreshold() / norm));
    }
  }

  /** The update's part across the prompt's output, and a share of the part along it. */
  private void project(float[] outputs, int from, float scale, float[] dst) {
    double norm = Math.max(SHORTEST, BranchVectors.norm(outputs, total + from, size));
    double along = BranchVectors.dot(dst, from, outputs, total + from, size) / (norm * norm);
    float eta = (float) method.eta();
    for (int i = from; i < from + size; i++) {
      double parallel = along * outputs[total + i];
      float across = (float) (dst[i] - parallel);
      dst[i] = outputs[i] + scale * (across + eta * (float) parallel);
    }
  }
}
