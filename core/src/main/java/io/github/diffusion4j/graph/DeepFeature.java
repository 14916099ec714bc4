package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Optional;

/**
 * What the last layers of a UNet read from below, cut out of its graph (Ma, Fang, Wang 2024, arXiv
 * 2312.00858). Above the cut are the first convolution, the first layers down, as many as {@code
 * branch}, and the layers up that read their results.
 *
 * @param config the UNet
 * @param branch how many layers down are above the cut
 * @param given whether the feature is an input of the layers above, and all others are left out
 */
record DeepFeature(UNetConfig config, int branch, boolean given) {

  private static final String HEIGHT = "deep_height";
  private static final String WIDTH = "deep_width";

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
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.DeepFeatureOutput output) {
        return Optional.of(new DeepFeature(config, output.branch(), false));
      }
      if (edit instanceof GraphEdit.DeepFeatureInput input) {
        return Optional.of(new DeepFeature(config, input.branch(), true));
      }
    }
    return Optional.empty();
  }

  /** The UNet, or its layers above the cut, up to the last convolution's result. */
  Value decoded(UNetLayers layers, Value sample) {
    Graph graph = sample.graph();
    int above = branch + 1;
    Value entered = layers.enter(sample);
    UNetLayers.Encoded encoded = given ? layers.encode(entered, above) : layers.encode(entered);
    Value feature;
    if (given) {
      graph.leaveOut();
      int channels = config.channelsBelow(config.upLayers() - above);
      feature =
          graph.input(
              GraphEdit.DEEP_FEATURE, sample.type(), UNetInputs.BATCH, channels, HEIGHT, WIDTH);
    } else {
      Value mid = layers.mid(encoded.last());
      feature = layers.rise(new UNetLayers.Encoded(encoded.skips(), mid), above);
      graph.output(
          GraphEdit.DEEP_FEATURE, feature, UNetInputs.BATCH, feature.dim(1), HEIGHT, WIDTH);
    }
    List<Value> skips = encoded.skips().subList(0, above);
    return layers.decode(new UNetLayers.Encoded(skips, feature));
  }
}
