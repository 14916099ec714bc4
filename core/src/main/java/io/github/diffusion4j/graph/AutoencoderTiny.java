package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.ArrayList;
import java.util.List;

/**
 * One half of a tiny autoencoder (madebyollin/taesd), diffusers' AutoencoderTiny, in the keys of
 * either. Blocks of its later kind first add what four groups of wider features tell them.
 *
 * @param half which half
 * @param pictureChannels of the pictures: the encoder's input or the decoder's output
 * @param latentChannels of the latents
 * @param stages channels and number of blocks of each resolution, in the half's own order
 * @param activation between the convolutions
 * @param magnitude largest latent that the decoder tells from larger ones
 */
record AutoencoderTiny(
    Half half,
    int pictureChannels,
    int latentChannels,
    List<Stage> stages,
    Activation activation,
    double magnitude)
    implements Architecture {

  private static final int POOL_GROUPS = 4;
  private static final double EPSILON = 1e-5;
  private static final String BATCH = "batch_size";

  /** Halves of an autoencoder. */
  enum Half {
    /** From pictures to latents. */
    ENCODER("encoder"),
    /** From latents to pictures. */
    DECODER("decoder");

    private final String module;

    Half(String module) {
      this.module = module;
    }
  }

  /**
   * One resolution.
   *
   * @param channels of its features
   * @param blocks how many
   */
  record Stage(int channels, int blocks) {}

  AutoencoderTiny {
    stages = List.copyOf(stages);
  }

  /** Reads config.json, with the reference's defaults. */
  static AutoencoderTiny of(ConfigFile config, Half half) {
    boolean encodes = half == Half.ENCODER;
    List<Integer> channels =
        integers(config, half.module + "_block_out_channels", List.of(64, 64, 64, 64));
    String key = "num_" + half.module + "_blocks";
    List<Integer> blocks =
        integers(config, key, encodes ? List.of(1, 3, 3, 3) : List.of(3, 3, 3, 1));
    if (blocks.size() != channels.size()) {
      throw config.wrong(key, "a list of " + channels.size() + " numbers", blocks);
    }
    List<Stage> stages = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      stages.add(new Stage(channels.get(i), blocks.get(i)));
    }
    expect(config, "upsampling_scaling_factor", "2");
    expect(config, "upsample_fn", "nearest");
    double magnitude = config.number("latent_magnitude").orElse(3.0);
    if (!(magnitude > 0)) {
      throw config.wrong("latent_magnitude", "a positive number", magnitude);
    }
    return new AutoencoderTiny(
        half,
        config.positive(encodes ? "in_channels" : "out_channels").orElse(3),
        config.positive("latent_channels").orElse(4),
        stages,
        Activation.named(config.text("act_fn").orElse("relu")),
        magnitude);
  }

  private static List<Integer> integers(ConfigFile config, String key, List<Integer> otherwise) {
    JsonNode list = config.value(key).orElse(null);
    if (list == null) {
      return otherwise;
    }
    List<Integer> numbers = new ArrayList<>();
    for (JsonNode number : list) {
      if (!number.canConvertToInt() || number.intValue() < 1) {
        throw config.wrong(key, "a list of positive integers", number);
      }
      numbers.add(number.intValue());
    }
    if (numbers.isEmpty() || numbers.size() > 8) {
      throw config.wrong(key, "a list of 1 to 8 positive integers", list);
    }
    return numbers;
  }

  private static void expect(ConfigFile config, String key, String built) {
    config
        .value(key)
        .filter(value -> !value.asText().equals(built))
        .ifPresent(
            value -> {
              throw config.wrong(key, built + ", which alone is built here", value);
            });
  }

  /** Weights of the other half lie in the same file. */
  @Override
  public boolean tolerates(String key) {
    return key.startsWith(half == Half.ENCODER ? "decoder." : "encoder.");
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    if (!edits.isEmpty()) {
      throw new IllegalArgumentException("an autoencoder has nothing to change, got " + edits);
    }
    ElementType type = graph.options().type();
    if (half == Half.ENCODER) {
      Value picture = graph.input("sample", type, BATCH, pictureChannels, "height", "width");
      graph.output(
          "latent_sample",
          encode(graph, picture),
          BATCH,
          latentChannels,
          "latent_height",
          "latent_width");
    } else {
      Value latents =
          graph.input(
              "latent_sample", type, BATCH, latentChannels, "latent_height", "latent_width");
      graph.output("sample", decode(graph, latents), BATCH, pictureChannels, "height", "width");
    }
  }

  /** Pictures come in [-1, 1]; the network takes [0, 1]. */
  private Value encode(Graph graph, Value picture) {
    Layers layers = new Layers(graph, 0);
    Value x = picture.plus(1).times(0.5);
    for (int i = 0; i < stages.size(); i++) {
      int channels = stages.get(i).channels();
      Convolution.Window window = new Convolution.Window(3, i == 0 ? 1 : 2, 1, 1);
      x = conv2d(layers.next(), x, channels, window);
      x = blocks(layers, x, stages.get(i));
    }
    return conv2d(layers.next(), x, latentChannels, 3);
  }

  /** Pictures go out in [-1, 1]; the network gives [0, 1]. */
  private Value decode(Graph graph, Value latents) {
    Layers layers = new Layers(graph, 1);
    Value x = latents.over(magnitude).map("Tanh").times(magnitude);
    x = activation.apply(conv2d(layers.next(), x, stages.get(0).channels(), 3));
    layers.skip();
    for (int i = 0; i < stages.size(); i++) {
      boolean last = i == stages.size() - 1;
      x = blocks(layers, x, stages.get(i));
      if (last) {
        x = conv2d(layers.next(), x, pictureChannels, 3);
      } else {
        layers.skip();
        x = Convolution.upsampledConv2d(layers.next(), x, stages.get(i).channels());
      }
    }
    return x.times(2).plus(-1);
  }

  private Value blocks(Layers layers, Value x, Stage stage) {
    Value hidden = x;
    for (int i = 0; i < stage.blocks(); i++) {
      hidden = block(layers.next(), hidden, stage.channels());
    }
    return hidden;
  }

  private Value block(Scope module, Value x, int channels) {
    Value pooled = x;
    if (module.has("pool.0.weight")) {
      long width = (long) channels * POOL_GROUPS;
      Value wide = conv2d(module.at("pool.0"), x, width, 1);
      Value normal = groupNorm(module.at("pool.1"), wide, POOL_GROUPS, EPSILON);
      pooled = x.plus(conv2d(module.at("pool.3"), Activation.RELU.apply(normal), x.dim(1), 1));
    }
    Value hidden = activation.apply(conv2d(module.at("conv.0"), pooled, channels, 3));
    hidden = activation.apply(conv2d(module.at("conv.2"), hidden, channels, 3));
    hidden = conv2d(module.at("conv.4"), hidden, channels, 3);
    Value kept =
        pooled.dim(1) == channels ? pooled : conv2d(module.at("skip"), pooled, channels, 1);
    return Activation.RELU.apply(hidden.plus(kept));
  }

  /** The half's layers one after the other, by their place in the file's list of layers. */
  private final class Layers {
    private final Scope list;
    private int index;

    /**
     * Begins before the first layer.
     *
     * @param before layers without weights that only the original's list has before it
     */
    Layers(Graph graph, int before) {
      Scope model = graph.root().at(half.module);
      boolean diffusers = model.has("layers.0.weight");
      list = diffusers ? model.at("layers") : model;
      index = diffusers ? 0 : before;
    }

    Scope next() {
      return list.at(Integer.toString(index++));
    }

    /** Passes a layer without weights. */
    void skip() {
      index++;
    }
  }
}
