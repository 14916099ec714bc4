package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One half of the autoencoder of latent diffusion (Rombach et al. 2022, arXiv 2112.10752),
 * diffusers' AutoencoderKL: the encoder gives mean and logarithm of the variance of the latents.
 *
 * @param half which half
 * @param pictureChannels of the pictures: the encoder's input or the decoder's output
 * @param latentChannels of the latents
 * @param blocks channels of each resolution, the highest first
 * @param blockTypes names of the blocks, in the half's own order
 * @param layers residual blocks of each resolution of the encoder; the decoder has one more
 * @param block normalizations and activation
 * @param middleAttention whether there is attention at the lowest resolution
 * @param latentConvolution whether a convolution of the latents alone follows or precedes
 * @param upcast whether 16 bits are too few for it
 */
record AutoencoderKl(
    Half half,
    int pictureChannels,
    int latentChannels,
    List<Integer> blocks,
    List<String> blockTypes,
    int layers,
    ResnetBlock block,
    boolean middleAttention,
    boolean latentConvolution,
    boolean upcast)
    implements Architecture {

  private static final double EPSILON = 1e-6;

  /**
   * What the latents' height and width count as where convolutions are chosen: a quarter of what
   * they mostly are, for an autoencoder runs once for a picture, and memory counts more than time.
   */
  private static final int LATENT_SIDE = 16;

  private static final String BATCH = "batch_size";

  /** Halves of an autoencoder. */
  enum Half {
    /** From pictures to the distribution of latents. */
    ENCODER("encoder", "DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
    /** From latents to pictures. */
    DECODER("decoder", "UpDecoderBlock2D", "AttnUpDecoderBlock2D");

    private final String module;
    private final String plain;
    private final String attentive;

    Half(String module, String plain, String attentive) {
      this.module = module;
      this.plain = plain;
      this.attentive = attentive;
    }
  }

  AutoencoderKl {
    blocks = List.copyOf(blocks);
    blockTypes = List.copyOf(blockTypes);
  }

  /** Reads config.json, with the reference's defaults. */
  static AutoencoderKl of(ConfigFile config, Half half) {
    boolean encodes = half == Half.ENCODER;
    List<Integer> blocks = new ArrayList<>();
    for (JsonNode channels : list(config, "block_out_channels")) {
      if (!channels.canConvertToInt() || channels.intValue() < 1) {
        throw config.wrong("block_out_channels", "a list of positive integers", channels);
      }
      blocks.add(channels.intValue());
    }
    String key = encodes ? "down_block_types" : "up_block_types";
    List<String> types = new ArrayList<>();
    for (JsonNode type : list(config, key)) {
      if (!type.asText().equals(half.plain) && !type.asText().equals(half.attentive)) {
        throw config.wrong(key, "a list of " + half.plain + " and " + half.attentive, type);
      }
      types.add(type.asText());
    }
    if (types.size() != blocks.size()) {
      throw config.wrong(key, "as long as block_out_channels", types);
    }
    Activation activation = Activation.named(config.text("act_fn").orElse("silu"));
    int groups = config.positive("norm_num_groups").orElse(32);
    return new AutoencoderKl(
        half,
        config.positive(encodes ? "in_channels" : "out_channels").orElse(3),
        config.positive("latent_channels").orElse(4),
        blocks,
        types,
        config.positive("layers_per_block").orElse(1),
        new ResnetBlock(groups, EPSILON, activation, 1, false, LATENT_SIDE),
        config.flag("mid_block_add_attention").orElse(true),
        config.flag(encodes ? "use_quant_conv" : "use_post_quant_conv").orElse(true),
        config.flag("force_upcast").orElse(false));
  }

  private static JsonNode list(ConfigFile config, String key) {
    JsonNode list = config.value(key).orElseThrow(() -> config.wrong(key, "a list", "nothing"));
    if (!list.isArray() || list.isEmpty()) {
      throw config.wrong(key, "a list that is not empty", list);
    }
    return list;
  }

  @Override
  public String presentName(String key) {
    return SpatialAttention.presentName(key);
  }

  /** Weights of the other half lie in the same file. */
  @Override
  public boolean tolerates(String key) {
    boolean own =
        half == Half.ENCODER
            ? key.startsWith("encoder.") || key.startsWith("quant_conv.")
            : key.startsWith("decoder.") || key.startsWith("post_quant_conv.");
    boolean known =
        key.startsWith("encoder.")
            || key.startsWith("decoder.")
            || key.startsWith("quant_conv.")
            || key.startsWith("post_quant_conv.");
    return known && !own;
  }

  /**
   * The states of some autoencoders go beyond the range of FLOAT16; their configuration says so.
   */
  @Override
  public ElementType precision(ElementType asked) {
    return upcast && asked == ElementType.FLOAT16 ? ElementType.FLOAT32 : asked;
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    if (!edits.isEmpty()) {
      throw new IllegalArgumentException("an autoencoder has nothing to change, got " + edits);
    }
    ElementType type = graph.options().type();
    int factor = 1 << (blocks.size() - 1);
    if (half == Half.ENCODER) {
      Value picture =
          graph.input("sample", type, BATCH, pictureChannels, "sample_height", "sample_width");
      graph.output(
          "latent_parameters",
          encode(graph.root(), picture),
          BATCH,
          2 * latentChannels,
          scaled("sample_height", " / ", factor),
          scaled("sample_width", " / ", factor));
    } else {
      Value latents =
          graph.input(
              "latent_sample", type, BATCH, latentChannels, "latent_height", "latent_width");
      graph.output(
          "sample",
          decode(graph.root(), latents),
          BATCH,
          pictureChannels,
          scaled("latent_height", " * ", factor),
          scaled("latent_width", " * ", factor));
    }
  }

  private static String scaled(String name, String operator, int factor) {
    return factor == 1 ? name : name + operator + factor;
  }

  private Value encode(Scope model, Value picture) {
    Scope encoder = model.at("encoder");
    Bands map = Bands.whole(conv2d(encoder.at("conv_in"), picture, blocks.get(0), 3));
    for (int i = 0; i < blocks.size(); i++) {
      Scope down = encoder.at("down_blocks", i);
      map = resolution(down, map, new Stage(i, layers, blocks.get(i)));
      if (i < blocks.size() - 1) {
        Convolution.Window halving = new Convolution.Window(3, 2, 0, 1);
        Scope module = down.at("downsamplers.0.conv");
        long channels = blocks.get(i);
        map = map.map(x -> conv2d(module, x, channels, halving));
      }
    }
    map = Bands.whole(middle(encoder.at("mid_block"), map.joined()));
    Value x = last(encoder, map, 2L * latentChannels);
    return latentConvolution ? conv2d(model.at("quant_conv"), x, 2L * latentChannels, 1) : x;
  }

  private Value decode(Scope model, Value latents) {
    Scope decoder = model.at("decoder");
    Value x =
        latentConvolution
            ? conv2d(model.at("post_quant_conv"), latents, latentChannels, 1)
            : latents;
    x = conv2d(decoder.at("conv_in"), x, blocks.get(blocks.size() - 1), 3);
    x = middle(decoder.at("mid_block"), x);
    Bands map = Bands.whole(x);
    boolean parted =
        latents.graph().options().fewerProducts()
            && x.type() == ElementType.FLOAT32
            && !blockTypes.contains(half.attentive);
    for (int i = 0; i < blocks.size(); i++) {
      Scope up = decoder.at("up_blocks", i);
      int channels = blocks.get(blocks.size() - 1 - i);
      map = resolution(up, map, new Stage(i, layers + 1, channels));
      if (i < blocks.size() - 1) {
        map = map.upsampledConv2d(up.at("upsamplers.0.conv"), channels);
        map = parted ? map.halved(latents.size(2)) : map;
      }
    }
    return last(decoder, map, pictureChannels);
  }

  /** The blocks of one resolution. */
  private record Stage(int index, int layers, int channels) {}

  private Bands resolution(Scope module, Bands map, Stage stage) {
    boolean attends = blockTypes.get(stage.index()).equals(half.attentive);
    int halvings = half == Half.ENCODER ? blocks.size() - 1 - stage.index() : stage.index();
    ResnetBlock wide = block.withSide(LATENT_SIDE << halvings);
    Bands hidden = map;
    for (int layer = 0; layer < stage.layers(); layer++) {
      hidden = wide.apply(module.at("resnets", layer), hidden, Optional.empty(), stage.channels());
      if (attends) {
        Scope attentive = module.at("attentions", layer);
        hidden = hidden.map(x -> attention(attentive, x));
      }
    }
    return hidden;
  }

  private Value middle(Scope module, Value x) {
    Value hidden = block.apply(module.at("resnets.0"), x, Optional.empty(), x.dim(1));
    if (middleAttention) {
      hidden = attention(module.at("attentions.0"), hidden);
    }
    return block.apply(module.at("resnets.1"), hidden, Optional.empty(), x.dim(1));
  }

  private Value attention(Scope module, Value x) {
    return SpatialAttention.apply(module, x, block.groups(), EPSILON);
  }

  private Value last(Scope module, Bands map, long channels) {
    return map.groupNorm(module.at("conv_norm_out"), block.groups(), EPSILON)
        .map(Activation.SILU::apply)
        .conv3x3(module.at("conv_out"), channels, LATENT_SIDE)
        .joined();
  }
}
