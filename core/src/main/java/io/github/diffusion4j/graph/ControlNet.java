package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.ArrayList;
import java.util.List;

/**
 * A ControlNet (Zhang et al. 2023, arXiv 2302.05543): what it sees in a control picture, as
 * residuals for a UNet; {@code ControlNetModel} of diffusers. Immutable.
 */
public final class ControlNet implements Architecture {

  /** Name of the input for the control picture, [batch, channels, height, width] in 0…1. */
  static final String PICTURE = "controlnet_cond";

  /** Name of the input for the factor of all residuals. */
  static final String SCALE = "conditioning_scale";

  private final ControlNetConfig config;
  private final int pooledWidth;

  private ControlNet(ControlNetConfig config, int pooledWidth) {
    this.config = config;
    this.pooledWidth = pooledWidth;
  }

  /**
   * Reads a configuration.
   *
   * @param config the ControlNet's config.json
   * @return the network
   * @throws ModelFormatException if a value is wrong or not built; the message names it
   */
  public static ControlNet of(ConfigFile config) {
    return new ControlNet(ControlNetConfig.of(config), 0);
  }

  /**
   * The same network, which knows the width of the pooled text embedding.
   *
   * @param width of the second text encoder's projection
   * @return a network whose inputs have fixed widths
   */
  public ControlNet withPooledWidth(int width) {
    return new ControlNet(config, width);
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    UNet.refuse(edits);
    UNetInputs inputs = UNetInputs.declare(graph, config.unet(), pooledWidth);
    residuals(graph.root(), inputs).declareOutputs(graph);
  }

  /** What the network adds to a UNet, scaled. */
  private UNet.Residuals residuals(Scope root, UNetInputs inputs) {
    Graph graph = root.graph();
    ElementType type = graph.options().type();
    Value picture =
        graph.input(
            PICTURE, type, UNetInputs.BATCH, config.pictureChannels(), "cond_height", "cond_width");
    Value scale = graph.input(SCALE, type);
    UNetLayers layers = UNetLayers.of(config.unet(), root, inputs);
    Value entered =
        layers
            .enter(inputs.sample())
            .plus(features(root.at("controlnet_cond_embedding"), ordered(picture)));
    UNetLayers.Encoded encoded = layers.encode(entered);
    List<Value> skips = new ArrayList<>();
    for (Value skip : encoded.skips()) {
      skips.add(residual(root.at("controlnet_down_blocks", skips.size()), skip, scale));
    }
    Value mid = layers.mid(encoded.last());
    return new UNet.Residuals(skips, residual(root.at("controlnet_mid_block"), mid, scale));
  }

  private Value residual(Scope module, Value x, Value scale) {
    Value scaled = conv2d(module, x, x.dim(1), 1).times(scale);
    if (!config.pooled()) {
      return scaled;
    }
    return x.graph().node("GlobalAveragePool").in(scaled).out(x.type(), x.dim(0), x.dim(1), 1, 1);
  }

  private Value ordered(Value picture) {
    if (!config.blueFirst()) {
      return picture;
    }
    List<Value> channels = new ArrayList<>(picture.split(1, config.pictureChannels()));
    java.util.Collections.reverse(channels);
    return Value.concat(1, channels.toArray(Value[]::new));
  }

  /** Convolutions that take the picture to the resolution and width of the first feature map. */
  private Value features(Scope module, Value picture) {
    List<Integer> widths = config.widths();
    Value x = conv2d(module.at("conv_in"), picture, widths.get(0), 3);
    x = Activation.SILU.apply(x);
    for (int i = 0; i < widths.size() - 1; i++) {
      x = conv2d(module.at("blocks", 2 * i), x, widths.get(i), 3);
      x = Activation.SILU.apply(x);
      Convolution.Window half = new Convolution.Window(3, 2, 1, 1);
      x = conv2d(module.at("blocks", 2 * i + 1), x, widths.get(i + 1), half);
      x = Activation.SILU.apply(x);
    }
    return conv2d(module.at("conv_out"), x, config.unet().firstChannels(), 3);
  }

  @Override
  public boolean tolerates(String key) {
    return false;
  }
}
