package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtTensor;

/**
 * Runs of a UNet that keeps its features for those after: the whole network writes them into the
 * very tensors that its layers above the cut read. Each run of an evaluation has its own. Not
 * thread-safe.
 */
final class KeptFeatures implements NetworkRuns {

  private final FeatureCut cut;
  private final OrtBinding whole;
  private final OrtBinding above;
  private final OrtTensor[] features; // by run; null before its first one
  private int kept = -1; // what the cut has counted when they were made
  private boolean reuses;

  /**
   * Prepares the layers above the cut.
   *
   * @param whole the network with the feature as an output; not closed here
   * @param runs of each evaluation
   */
  KeptFeatures(FeatureCut cut, OrtBinding whole, int runs, CancelToken cancel) {
    this.cut = cut;
    this.whole = whole;
    features = new OrtTensor[runs];
    above = cut.above().model().bindForSteps(cancel);
    try {
      above.change(cut.above().changes());
    } catch (RuntimeException | Error e) {
      above.close();
      throw e;
    }
  }

  /** The layers above the cut, to be given what stays the same. */
  OrtBinding above() {
    return above;
  }

  @Override
  public OrtBinding next(int run) {
    if (run == 0) {
      int count = cut.next();
      reuses = count == kept;
      kept = count;
    }
    return reuses ? above : whole;
  }

  @Override
  public void run(int run) {
    if (reuses) {
      above.use(cut.feature(), features[run]);
      above.run();
    } else if (features[run] == null) {
      features[run] = whole.runInto(cut.feature());
    } else {
      whole.write(cut.feature(), features[run]);
      whole.run();
    }
  }

  @Override
  public void close() {
    above.close();
  }
}
