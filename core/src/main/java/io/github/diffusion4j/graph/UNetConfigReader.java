package io.github.diffusion4j.graph;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.UNetBlock.BlockAttention;
import io.github.diffusion4j.graph.UNetBlock.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads a {@link UNetConfig}. */
final class UNetConfigReader {

  private static final int MOST_LAYERS = 64;
  private static final int COMMON_SIDE = 64;
  private static final Set<String> ACTIVATIONS = Set.of("silu", "swish", "mish", "gelu", "relu");
  private static final Map<String, Kind> DOWN =
      Map.of(
          "DownBlock2D", Kind.PLAIN,
          "CrossAttnDownBlock2D", Kind.CROSS_ATTENTION,
          "AttnDownBlock2D", Kind.ATTENTION);
  private static final Map<String, Kind> UP =
      Map.of(
          "UpBlock2D", Kind.PLAIN,
          "CrossAttnUpBlock2D", Kind.CROSS_ATTENTION,
          "AttnUpBlock2D", Kind.ATTENTION);

  private final ConfigFile config;
  private final ConfigValues values;

  /** {@code UNet2DModel}, which reads no text. */
  private final boolean unconditional;

  private final boolean controlNet;
  private final List<String> downNames;
  private final List<Integer> channels;
  private final int blocks;

  UNetConfigReader(ConfigFile config) {
    this.config = config;
    values = new ConfigValues(config);
    String name =
        values.choice(
            "_class_name",
            "UNet2DConditionModel",
            Set.of("UNet2DConditionModel", "UNet2DModel", "ControlNetModel"));
    unconditional = name.equals("UNet2DModel");
    controlNet = name.equals("ControlNetModel");
    downNames =
        values.names(
            "down_block_types",
            unconditional
                ? List.of("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")
                : List.of(
                    "CrossAttnDownBlock2D",
                    "CrossAttnDownBlock2D",
                    "CrossAttnDownBlock2D",
                    "DownBlock2D"));
    blocks = downNames.size();
    channels =
        values.sizes(
            "block_out_channels",
            unconditional ? List.of(224, 448, 672, 896) : List.of(320, 640, 1280, 1280));
    if (channels.size() != blocks) {
      throw config.wrong("block_out_channels", "a list of " + blocks + " widths", channels);
    }
  }

  UNetConfig unet() {
    refuseWhatIsNotBuilt();
    UNetConfig.ResnetConfig resnet = resnet();
    for (int width : channels) {
      values.divides("norm_num_groups", resnet.groups(), width);
    }
    List<UNetBlock> down = down();
    List<UNetBlock> mid = mid();
    List<UNetBlock> up = controlNet ? List.of() : up();
    int pictureChannels = unconditional ? 3 : 4;
    UNetConfig.TimeConfig time = time();
    return new UNetConfig(
        new UNetConfig.Convolution(
            values.size("in_channels", pictureChannels),
            kernel("conv_in_kernel"),
            values.flag("center_input_sample", false)),
        time,
        extra(down, mid, time),
        resnet,
        new UNetConfig.TransformerConfig(
            values.flag("use_linear_projection", false), values.flag("upcast_attention", false)),
        down,
        mid,
        up,
        new UNetConfig.Convolution(
            values.size("out_channels", pictureChannels), kernel("conv_out_kernel"), false));
  }

  private void refuseWhatIsNotBuilt() {
    values.only("dual_cross_attention", false);
    values.only("attention_type", "default");
    values.only("downsample_type", "conv");
    values.only("upsample_type", "conv");
    if (config.root().path("norm_num_groups").isNull()) {
      throw config.wrong("norm_num_groups", "a number of groups", "null");
    }
  }

  private int kernel(String key) {
    int side = values.size(key, 3);
    if (side % 2 == 0 || side > 31) {
      throw config.wrong(key, "an odd number up to 31", side);
    }
    return side;
  }

  private UNetConfig.ResnetConfig resnet() {
    String shift =
        values.choice("resnet_time_scale_shift", "default", Set.of("default", "scale_shift"));
    int padding = config.integer("downsample_padding").orElse(1);
    if (padding != 0 && padding != 1) {
      throw config.wrong("downsample_padding", "0 or 1", padding);
    }
    double epsilon = values.number("norm_eps", 1e-5);
    double midScale = values.number("mid_block_scale_factor", 1);
    if (epsilon < 0) {
      throw config.wrong("norm_eps", "a number from 0", epsilon);
    }
    if (midScale == 0) {
      throw config.wrong("mid_block_scale_factor", "a number other than 0", midScale);
    }
    return new UNetConfig.ResnetConfig(
        values.size("norm_num_groups", 32),
        epsilon,
        values.choice("act_fn", "silu", ACTIVATIONS),
        shift.equals("scale_shift"),
        midScale,
        padding);
  }

  private List<UNetBlock> down() {
    List<Integer> layers = layers();
    List<Integer> heads = heads();
    List<Integer> headWidths = values.perBlock("attention_head_dim", 0, blocks);
    List<Integer> contexts = values.perBlock("cross_attention_dim", 1280, blocks);
    List<Boolean> onlyCross = values.flagsPerBlock("only_cross_attention", blocks);
    List<JsonNode> depths = values.eachBlock("transformer_layers_per_block", blocks);
    List<UNetBlock> down = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      Kind kind = kind("down_block_types", downNames.get(i), DOWN);
      int width = channels.get(i);
      BlockAttention attention =
          switch (kind) {
            case PLAIN -> BlockAttention.NONE;
            case ATTENTION -> pixels(width, headWidths.get(i));
            case CROSS_ATTENTION ->
                cross(width, heads.get(i), contexts.get(i), onlyCross.get(i))
                    .with(depths("transformer_layers_per_block", depths.get(i), layers.get(i)));
          };
      down.add(new UNetBlock(kind, width, layers.get(i), attention, i < blocks - 1, side(i)));
    }
    return down;
  }

  private List<UNetBlock> up() {
    List<String> names =
        values.names(
            "up_block_types",
            unconditional
                ? List.of("AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D")
                : List.of(
                    "UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"));
    if (names.size() != blocks) {
      throw config.wrong("up_block_types", "a list of " + blocks + " blocks", names);
    }
    List<Integer> layers = reversed(layers());
    List<Integer> heads = reversed(heads());
    // Pixel attention takes its widths in the order of the down blocks, as in diffusers.
    List<Integer> headWidths = values.perBlock("attention_head_dim", 0, blocks);
    List<Integer> contexts = reversed(values.perBlock("cross_attention_dim", 1280, blocks));
    List<Boolean> onlyCross = reversed(values.flagsPerBlock("only_cross_attention", blocks));
    String depthKey =
        config.value("reverse_transformer_layers_per_block").isPresent()
            ? "reverse_transformer_layers_per_block"
            : "transformer_layers_per_block";
    List<JsonNode> depths = values.eachBlock(depthKey, blocks);
    if (depthKey.startsWith("transformer")) {
      depths = reversed(depths);
      if (depths.stream().anyMatch(JsonNode::isArray)) {
        throw config.wrong(
            "reverse_transformer_layers_per_block",
            "there, since transformer_layers_per_block has a list of lists",
            "nothing");
      }
    }
    List<UNetBlock> up = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      Kind kind = kind("up_block_types", names.get(i), UP);
      int width = channels.get(blocks - 1 - i);
      BlockAttention attention =
          switch (kind) {
            case PLAIN -> BlockAttention.NONE;
            case ATTENTION -> pixels(width, headWidths.get(i));
            case CROSS_ATTENTION ->
                cross(width, heads.get(i), contexts.get(i), onlyCross.get(i))
                    .with(depths(depthKey, depths.get(i), layers.get(i) + 1));
          };
      int side = side(blocks - 1 - i);
      up.add(new UNetBlock(kind, width, layers.get(i) + 1, attention, i < blocks - 1, side));
    }
    return up;
  }

  private List<UNetBlock> mid() {
    JsonNode type = config.root().path("mid_block_type");
    int width = channels.get(blocks - 1);
    int side = side(blocks - 1);
    if (type.isNull()) {
      return List.of();
    }
    if (unconditional) {
      values.choice("mid_block_type", "UNetMidBlock2D", Set.of("UNetMidBlock2D"));
      values.only("attn_norm_num_groups", (double) values.size("norm_num_groups", 32));
      if (values.flag("add_attention", true)) {
        values.only("resnet_time_scale_shift", "default");
      }
      return List.of(
          values.flag("add_attention", true)
              ? new UNetBlock(
                  Kind.ATTENTION,
                  width,
                  2,
                  pixels(width, values.size("attention_head_dim", width)),
                  false,
                  side)
              : new UNetBlock(Kind.PLAIN, width, 2, BlockAttention.NONE, false, side));
    }
    String name =
        values.choice(
            "mid_block_type",
            "UNetMidBlock2DCrossAttn",
            Set.of("UNetMidBlock2DCrossAttn", "UNetMidBlock2D"));
    if (name.equals("UNetMidBlock2D")) {
      return List.of(new UNetBlock(Kind.PLAIN, width, 1, BlockAttention.NONE, false, side));
    }
    int last = blocks - 1;
    JsonNode depth = values.eachBlock("transformer_layers_per_block", blocks).get(last);
    BlockAttention attention =
        cross(
                width,
                heads().get(last),
                values.perBlock("cross_attention_dim", 1280, blocks).get(last),
                false)
            .with(
                depths("transformer_layers_per_block", depth.isArray() ? depth.path(0) : depth, 1));
    return List.of(new UNetBlock(Kind.CROSS_ATTENTION, width, 2, attention, false, side));
  }

  /** What maps at a resolution measure where the picture has the size of the training. */
  private int side(int halvings) {
    JsonNode size = config.root().path("sample_size");
    JsonNode side = size.isArray() ? size.path(0) : size;
    return side.asInt(COMMON_SIDE) >> halvings;
  }

  private Kind kind(String key, String name, Map<String, Kind> built) {
    Kind kind = built.get(name);
    if (kind == null || unconditional && kind == Kind.CROSS_ATTENTION) {
      throw config.wrong(key, "a list of " + built.keySet().stream().sorted().toList(), name);
    }
    return kind;
  }

  private List<Integer> layers() {
    List<Integer> layers = values.perBlock("layers_per_block", 2, blocks);
    for (int number : layers) {
      if (number > MOST_LAYERS) {
        throw config.wrong("layers_per_block", "at most " + MOST_LAYERS, number);
      }
    }
    return layers;
  }

  /** The key attention_head_dim has always meant the number of heads where text is read. */
  private List<Integer> heads() {
    return config.value("num_attention_heads").isPresent()
        ? values.perBlock("num_attention_heads", 8, blocks)
        : values.perBlock("attention_head_dim", 8, blocks);
  }

  private BlockAttention cross(int width, int heads, int context, boolean onlyCross) {
    values.divides("attention_head_dim", heads, width);
    return new BlockAttention(heads, context, List.of(), onlyCross);
  }

  private BlockAttention pixels(int width, int headWidth) {
    int one = headWidth > 0 ? headWidth : config.root().has("attention_head_dim") ? width : 8;
    values.divides("attention_head_dim", one, width);
    return new BlockAttention(width / one, 0, List.of(), false);
  }

  private List<Integer> depths(String key, JsonNode node, int layers) {
    List<Integer> depths = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      JsonNode depth = node.isArray() ? node.path(i) : node;
      depths.add(depth.isMissingNode() && !node.isArray() ? 1 : values.size(key, depth));
      if (depths.get(i) > MOST_LAYERS) {
        throw config.wrong(key, "at most " + MOST_LAYERS, depths.get(i));
      }
    }
    if (node.isArray() && node.size() != layers) {
      throw config.wrong(key, "a list of " + layers + " depths for a block", node);
    }
    return depths;
  }

  private UNetConfig.TimeConfig time() {
    boolean fourier =
        values
            .choice("time_embedding_type", "positional", Set.of("positional", "fourier"))
            .equals("fourier");
    int first = channels.get(0);
    int width = values.size("time_embedding_dim", first * (fourier && !unconditional ? 2 : 4));
    int sinusoids = !fourier ? first : unconditional ? 2 * first : width;
    if (sinusoids % 2 != 0) {
      throw config.wrong("time_embedding_dim", "an even number", sinusoids);
    }
    return new UNetConfig.TimeConfig(
        fourier,
        fourier && unconditional,
        values.flag("flip_sin_to_cos", true) && !(fourier && unconditional),
        values.number("freq_shift", 0),
        sinusoids,
        width,
        unconditional ? "silu" : values.choice("act_fn", "silu", ACTIVATIONS),
        optionalActivation("timestep_post_act"),
        optionalActivation("time_embedding_act_fn"),
        values.size("time_cond_proj_dim", 0),
        fourier && unconditional);
  }

  private String optionalActivation(String key) {
    return config.value(key).isPresent() ? values.choice(key, "", ACTIVATIONS) : "";
  }

  private UNetConfig.EmbeddingConfig extra(
      List<UNetBlock> down, List<UNetBlock> mid, UNetConfig.TimeConfig time) {
    UNetConfig.ClassEmbedding classes = classes();
    int classSize =
        switch (classes) {
          case TABLE -> required("num_class_embeds");
          case PROJECTION, SIMPLE_PROJECTION -> required("projection_class_embeddings_input_dim");
          case IDENTITY -> time.width();
          case TIMESTEP, NONE -> 0;
        };
    UNetConfig.Addition addition = addition();
    String projection =
        config.value("encoder_hid_dim").isPresent()
            ? values.choice("encoder_hid_dim_type", "text_proj", Set.of("text_proj"))
            : "";
    if (projection.isEmpty()) {
      values.only("encoder_hid_dim_type", "null");
    }
    int text = projection.isEmpty() ? contextWidth(down, mid) : required("encoder_hid_dim");
    if (addition == UNetConfig.Addition.TEXT && text == 0) {
      text = values.size("cross_attention_dim", 1280);
    }
    int additionWidth =
        addition == UNetConfig.Addition.TEXT_TIME
            ? required("projection_class_embeddings_input_dim")
            : addition == UNetConfig.Addition.TEXT ? text : 0;
    int heads = values.size("addition_embed_type_num_heads", 64);
    if (addition == UNetConfig.Addition.TEXT) {
      values.divides("addition_embed_type_num_heads", heads, text);
    }
    if (addition != UNetConfig.Addition.NONE) {
      values.only("class_embeddings_concat", false);
    }
    return new UNetConfig.EmbeddingConfig(
        classes,
        classSize,
        values.flag("class_embeddings_concat", false),
        addition,
        addition == UNetConfig.Addition.TEXT_TIME ? required("addition_time_embed_dim") : 0,
        additionWidth,
        heads,
        text,
        !projection.isEmpty());
  }

  private int contextWidth(List<UNetBlock> down, List<UNetBlock> mid) {
    List<Integer> widths = new ArrayList<>();
    down.forEach(block -> widths.add(block.attention().contextWidth()));
    mid.forEach(block -> widths.add(block.attention().contextWidth()));
    List<Integer> distinct = widths.stream().filter(width -> width > 0).distinct().toList();
    if (distinct.size() > 1) {
      throw config.wrong("cross_attention_dim", "the same for all blocks", distinct);
    }
    return distinct.isEmpty() ? 0 : distinct.get(0);
  }

  private UNetConfig.ClassEmbedding classes() {
    if (config.value("class_embed_type").isEmpty()) {
      return config.value("num_class_embeds").isPresent()
          ? UNetConfig.ClassEmbedding.TABLE
          : UNetConfig.ClassEmbedding.NONE;
    }
    return switch (values.choice(
        "class_embed_type",
        "",
        unconditional || controlNet
            ? Set.of("timestep", "identity", "projection")
            : Set.of("timestep", "identity", "projection", "simple_projection"))) {
      case "timestep" -> UNetConfig.ClassEmbedding.TIMESTEP;
      case "identity" -> UNetConfig.ClassEmbedding.IDENTITY;
      case "projection" -> UNetConfig.ClassEmbedding.PROJECTION;
      default -> UNetConfig.ClassEmbedding.SIMPLE_PROJECTION;
    };
  }

  private UNetConfig.Addition addition() {
    if (unconditional || config.value("addition_embed_type").isEmpty()) {
      return UNetConfig.Addition.NONE;
    }
    return values.choice("addition_embed_type", "", Set.of("text", "text_time")).equals("text")
        ? UNetConfig.Addition.TEXT
        : UNetConfig.Addition.TEXT_TIME;
  }

  private int required(String key) {
    int size = values.size(key, 0);
    if (size == 0) {
      throw config.wrong(key, "there, since another option needs it", "nothing");
    }
    return size;
  }

  private static <T> List<T> reversed(List<T> list) {
    List<T> reversed = new ArrayList<>(list);
    Collections.reverse(reversed);
    return reversed;
  }
}
