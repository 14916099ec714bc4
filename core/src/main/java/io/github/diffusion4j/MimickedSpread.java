package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.Quantile;

/** Dynamic thresholding of guidance, channel by channel. */
final class MimickedSpread implements BranchCombiner {

  private final GuidanceMethod.DynamicThreshold method;
  private final int total;
  private final float[] spread; // of one channel

  MimickedSpread(GuidanceMethod.DynamicThreshold method, LatentShape shape) {
    this.method = method;
    this.total = shape.total();
    this.spread = new float[shape.height() * shape.width()];
  }

  @Override
  public void combine(float[] outputs, double scale, float[] dst) {
    guide(outputs, (float) method.mimicScale(), dst);
    if (scale == method.mimicScale()) {
      return;
    }
    for (int from = 0; from < total; from += spread.length) {
      float mean = (float) BranchVectors.mean(dst, from, spread.length);
      float mimicked = 0;
      for (int i = from; i < from + spread.length; i++) {
        mimicked = Math.max(mimicked, Math.abs(dst[i] - mean));
      }
      guide(outputs, from, (float) scale, dst);
      shrink(dst, from, mimicked);
    }
  }

  private void guide(float[] outputs, float scale, float[] dst) {
    for (int from = 0; from < total; from += spread.length) {
      guide(outputs, from, scale, dst);
    }
  }

  private void guide(float[] outputs, int from, float scale, float[] dst) {
    for (int i = from; i < from + spread.length; i++) {
      float negative = outputs[i];
      dst[i] = negative + scale * (outputs[total + i] - negative);
    }
  }

  /** Clamps a channel around its mean to its own spread, and shrinks that to the mimicked one. */
  private void shrink(float[] dst, int from, float mimicked) {
    float mean = (float) BranchVectors.mean(dst, from, spread.length);
    for (int i = 0; i < spread.length; i++) {
      spread[i] = Math.abs(dst[from + i] - mean);
    }
    float widest = Math.max(mimicked, (float) Quantile.of(spread, method.percentile()));
    if (widest == 0) {
      return; // nothing spreads
    }
    float share = (float) method.interpolatePhi();
    for (int i = from; i < from + spread.length; i++) {
      float clamped = Math.max(-widest, Math.min(widest, dst[i] - mean));
      float shrunk = clamped / widest * mimicked + mean;
      dst[i] = shrunk * share + dst[i] * (1 - share);
    }
  }
}
