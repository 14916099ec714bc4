package io.github.diffusion4j.family;

import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.onnx.GraphEdit;
import java.io.IOException;

/**
 * The layers of a UNet above a cut, which reuse in one generation the feature that the whole UNet
 * gives beside its result. Counts the generation's evaluations, whichever conditioning asks for
 * them. Not thread-safe.
 */
final class FeatureCut {

  private final ChangedNetwork above;
  private final int interval;
  private final String feature;
  private int evaluations;

  private FeatureCut(ChangedNetwork above, FeatureReuse reuse) {
    this.above = above;
    interval = reuse.interval();
    feature = GraphEdit.deepFeature(reuse.branch());
  }

  /**
   * The layers, which are opened when they are first used; those of another branch are closed as
   * soon as nobody uses them.
   *
   * @throws IllegalArgumentException if the network cannot be cut so
   */
  static FeatureCut of(ChangedNetwork unet, FeatureReuse reuse) {
    try {
      GraphEdit cut = new GraphEdit.DeepFeatureInput(reuse.branch());
      return new FeatureCut(unet.edited(cut).ofOwnLayers(), reuse);
    } catch (IOException e) {
      throw new InferenceException(
          unet.model().component(), "cannot be opened for feature reuse: " + e.getMessage(), e);
    }
  }

  ChangedNetwork above() {
    return above;
  }

  /** The whole network's output, and the input of the layers above the cut. */
  String feature() {
    return feature;
  }

  /** Counts an evaluation; those of one number share their features. */
  int next() {
    return evaluations++ / interval;
  }
}
