package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Optional;

/**
 * What the last layers of a UNet read from below, for running these alone (Ma, Fang, Wang 2024,
 * arXiv 2312.00858). Above a cut are the first convolution, the first layers down, as many as
 * {@code branch}, and the layers up that read their results.
 *
 * @param config the UNet
 * @param branch how many layers down are above the cut
 */
record DeepFeature(UNetConfig config, int branch) {

  DeepFeature {
    int layers = config.upLayers();
    if (branch >= layers) {
      throw new IllegalArgumentException(
          "branch of the feature reuse must be in [0, %d] for this UNet, got %d"
              .formatted(layers - 1, branch));
    }
  }

  /** What edits of a graph ask for. */
  static Optional<DeepFeature> of(List<GraphEdit> edits, UNetConfig config) {
    return edits.stream()
        .filter(GraphEdit.DeepFeatureInput.class::isInstance)
        .map(edit -> new DeepFeature(config, ((GraphEdit.DeepFeatureInput) edit).branch()))
        .findFirst();
  }

  /** The layers above the cut alone, up to the last convolution's result. */
  Value decoded(UNetLayers layers, Value sample) {
    int above = branch + 1;
    UNetLayers.Encoded encoded = layers.encode(layers.enter(sample), above);
    sample.graph().leaveOut();
    int channels = config.channelsBelow(config.upLayers() - above);
    Value feature =
        sample
            .graph()
            .input(GraphEdit.deepFeature(branch), sample.type(), dimensions(branch, channels));
    return layers.decode(new UNetLayers.Encoded(encoded.skips(), feature));
  }

  /**
   * The half that goes up, with what each of its layers reads from below as one more output. These
   * are results that the network has anyway: outputs that a run does not ask for cost nothing but
   * that their memory is free only after the run.
   */
  static Value decodedWithOutputs(UNetLayers layers, UNetLayers.Encoded encoded) {
    List<Value> skips = encoded.skips();
    Value x = encoded.last();
    for (int above = skips.size(); above > 0; above--) {
      x = withOutput(above - 1, x, skips);
      x = layers.rise(new UNetLayers.Encoded(skips.subList(0, above), x), above - 1);
    }
    return layers.leave(x);
  }

  private static Value withOutput(int branch, Value feature, List<Value> skips) {
    String name = GraphEdit.deepFeature(branch);
    Object[] dimensions = dimensions(branch, feature.dim(1));
    if (!skips.contains(feature)) {
      return feature.graph().outputItself(name, feature, dimensions);
    }
    feature.graph().output(name, feature, dimensions); // no mid block: it is a skip as well
    return feature;
  }

  private static Object[] dimensions(int branch, long channels) {
    String side = GraphEdit.deepFeature(branch);
    return new Object[] {UNetInputs.BATCH, channels, side + "_height", side + "_width"};
  }
}
