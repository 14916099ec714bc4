package io.github.diffusion4j.family;

import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.onnx.GraphEdit;
import java.io.IOException;

/**
 * A UNet that reuses features in one generation: whole, with the feature as an output, and the
 * layers above the cut alone. Counts the generation's evaluations, whichever conditioning asks for
 * them. Not thread-safe.
 */
final class FeatureCut {

  private final ChangedNetwork whole;
  private final ChangedNetwork above;
  private final int interval;
  private int evaluations;

  private FeatureCut(ChangedNetwork whole, ChangedNetwork above, int interval) {
    this.whole = whole;
    this.above = above;
    this.interval = interval;
  }

  /**
   * Both networks, which are opened when they are first used; those of another branch are closed
   * until they are used again.
   *
   * @throws IllegalArgumentException if the network cannot be cut so
   */
  static FeatureCut of(ChangedNetwork unet, FeatureReuse reuse) {
    try {
      return new FeatureCut(
          unet.edited(new GraphEdit.DeepFeatureOutput(reuse.branch())),
          unet.edited(new GraphEdit.DeepFeatureInput(reuse.branch())).ofOwnLayers(),
          reuse.interval());
    } catch (IOException e) {
      throw new InferenceException(
          unet.model().component(), "cannot be opened for feature reuse: " + e.getMessage(), e);
    }
  }

  ChangedNetwork whole() {
    return whole;
  }

  ChangedNetwork above() {
    return above;
  }

  /** Counts an evaluation; those of one number share their features. */
  int next() {
    return evaluations++ / interval;
  }
}
