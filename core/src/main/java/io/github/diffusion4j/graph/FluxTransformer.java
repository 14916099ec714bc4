package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Optional;

/**
 * The transformer of FLUX.1 (Black Forest Labs 2024), diffusers' FluxTransformer2DModel: blocks in
 * which text and picture have layers of their own, then blocks that see them as one.
 *
 * @param inChannels values of a packed patch
 * @param outChannels of the prediction for one
 * @param layers number of blocks with two streams
 * @param singleLayers number of blocks with one
 * @param heads of attention
 * @param headWidth of each head
 * @param textWidth of the text's embeddings
 * @param pooledWidth of the pooled text embedding
 * @param takesGuidance whether the guidance scale is an input
 * @param axes widths that the axes of places turn
 */
record FluxTransformer(
    int inChannels,
    int outChannels,
    int layers,
    int singleLayers,
    int heads,
    int headWidth,
    int textWidth,
    int pooledWidth,
    boolean takesGuidance,
    List<Integer> axes)
    implements Architecture {

  private static final int GROWTH = 4;
  private static final double UNITS = 1000;
  private static final String BATCH = "batch_size";
  private static final String PATCHES = "packed_height_width";
  private static final String TOKENS = "sequence_length";

  FluxTransformer {
    axes = List.copyOf(axes);
  }

  /** Reads config.json, with the reference's defaults. */
  static FluxTransformer of(ConfigFile config) {
    ConfigValues values = new ConfigValues(config);
    int inChannels = values.size("in_channels", 64);
    int headWidth = values.size("attention_head_dim", 128);
    List<Integer> axes = values.sizes("axes_dims_rope", List.of(16, 56, 56));
    if (axes.stream().mapToInt(Integer::intValue).sum() != headWidth
        || axes.stream().anyMatch(width -> width % 2 != 0)) {
      throw config.wrong("axes_dims_rope", "even numbers that sum to " + headWidth, axes);
    }
    values.only("patch_size", 1.0);
    return new FluxTransformer(
        inChannels,
        values.size("out_channels", inChannels),
        values.size("num_layers", 19),
        values.size("num_single_layers", 38),
        values.size("num_attention_heads", 24),
        headWidth,
        values.size("joint_attention_dim", 4096),
        values.size("pooled_projection_dim", 768),
        values.flag("guidance_embeds", false),
        axes);
  }

  @Override
  public boolean takesLoraInputs() {
    return true;
  }

  /** No key besides those of the layers. */
  @Override
  public boolean tolerates(String key) {
    return false;
  }

  @Override
  public boolean takesBfloat16() {
    return true;
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    UNet.refuse(edits);
    ElementType type = graph.options().type();
    long width = (long) heads * headWidth;
    Value packed = graph.input("hidden_states", type, BATCH, PATCHES, inChannels);
    Value text = graph.input("encoder_hidden_states", type, BATCH, TOKENS, textWidth);
    Value pooled = graph.input("pooled_projections", type, BATCH, pooledWidth);
    Value timestep = graph.input("timestep", type, "step").times(UNITS);
    Value patchPlaces = graph.input("img_ids", ElementType.INT64, PATCHES, axes.size());
    Value textPlaces = graph.input("txt_ids", ElementType.INT64, TOKENS, axes.size());
    Optional<Value> guidance =
        takesGuidance
            ? Optional.of(graph.input("guidance", type, BATCH).times(UNITS))
            : Optional.empty();
    Scope model = graph.root();
    Value conditioning =
        TransformerConditioning.of(model.at("time_text_embed"), timestep, pooled, guidance, width);
    RotaryEmbedding rotary = RotaryEmbedding.of(Value.concat(0, textPlaces, patchPlaces), axes);
    JointAttention attention = new JointAttention(heads, true, Optional.of(rotary));
    JointBlock.Streams streams =
        new JointBlock.Streams(
            linear(model.at("context_embedder"), text, width),
            linear(model.at("x_embedder"), packed, width));
    for (int layer = 0; layer < layers; layer++) {
      Scope module = model.at("transformer_blocks", layer);
      streams = new JointBlock(attention, false, false).apply(module, streams, conditioning);
    }
    Value x = Value.concat(1, streams.text(), streams.picture());
    for (int layer = 0; layer < singleLayers; layer++) {
      x = single(model.at("single_transformer_blocks", layer), x, conditioning, attention);
    }
    Value picture =
        graph
            .node("Slice")
            .in(x, text.size(1), graph.constant(Long.MAX_VALUE), graph.constant(1))
            .out(x.type(), packed.dim(0), packed.dim(1), width);
    Value last = Modulation.last(model.at("norm_out"), picture, conditioning);
    graph.output(
        "out_hidden_states",
        linear(model.at("proj_out"), last, outChannels),
        BATCH,
        PATCHES,
        outChannels);
  }

  /** Attention and the layers of each token side by side. */
  private static Value single(Scope module, Value x, Value conditioning, JointAttention attention) {
    long width = x.dim(2);
    Modulation modulation = Modulation.of(module.at("norm"), conditioning, 3);
    Value normal = modulation.normalize(x, 0, 1);
    Value wide = Activation.GELU_TANH.apply(linear(module.at("proj_mlp"), normal, GROWTH * width));
    Value found = attention.apply(module.at("attn"), normal);
    Value joined = Value.concat(2, found, wide);
    return modulation.add(x, linear(module.at("proj_out"), joined, width), 2);
  }
}
