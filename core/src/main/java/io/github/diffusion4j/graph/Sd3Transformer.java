package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The transformer of Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206), diffusers'
 * SD3Transformer2DModel.
 *
 * @param patch side of a patch in latent cells
 * @param inChannels of the latents
 * @param outChannels of the prediction
 * @param layers number of blocks
 * @param heads of attention
 * @param headWidth of each head
 * @param textWidth of the text's embeddings
 * @param pooledWidth of the pooled text embedding
 * @param places patches along each side of the table of places
 * @param dualLayers blocks whose picture has a second attention
 * @param normalized whether queries and keys are divided by their root mean square
 */
record Sd3Transformer(
    int patch,
    int inChannels,
    int outChannels,
    int layers,
    int heads,
    int headWidth,
    int textWidth,
    int pooledWidth,
    int places,
    Set<Integer> dualLayers,
    boolean normalized)
    implements Architecture {

  private static final String BATCH = "batch_size";

  Sd3Transformer {
    dualLayers = Set.copyOf(dualLayers);
  }

  /** Reads config.json, with the reference's defaults. */
  static Sd3Transformer of(ConfigFile config) {
    ConfigValues values = new ConfigValues(config);
    int inChannels = values.size("in_channels", 16);
    int layers = values.size("num_layers", 18);
    int heads = values.size("num_attention_heads", 18);
    int headWidth = values.size("attention_head_dim", 64);
    values.only("caption_projection_dim", (double) (heads * headWidth));
    return new Sd3Transformer(
        values.size("patch_size", 2),
        inChannels,
        values.size("out_channels", inChannels),
        layers,
        heads,
        headWidth,
        values.size("joint_attention_dim", 4096),
        values.size("pooled_projection_dim", 2048),
        values.size("pos_embed_max_size", 96),
        dualLayers(config, layers),
        normalized(values));
  }

  private static boolean normalized(ConfigValues values) {
    return values.choice("qk_norm", "none", Set.of("none", "rms_norm")).equals("rms_norm");
  }

  private static Set<Integer> dualLayers(ConfigFile config, int layers) {
    String key = "dual_attention_layers";
    Set<Integer> dual = new TreeSet<>();
    for (JsonNode layer : config.root().path(key)) {
      if (!layer.canConvertToInt() || layer.intValue() < 0 || layer.intValue() >= layers) {
        throw config.wrong(key, "numbers of blocks from 0 to " + (layers - 1), layer);
      }
      dual.add(layer.intValue());
    }
    return dual;
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
    Value latents = graph.input("hidden_states", type, BATCH, inChannels, "height", "width");
    Value text = graph.input("encoder_hidden_states", type, BATCH, "sequence_length", textWidth);
    Value pooled = graph.input("pooled_projections", type, BATCH, pooledWidth);
    Value timestep = graph.input("timestep", type, "step");
    Scope model = graph.root();
    Patches patches = enter(model.at("pos_embed"), latents, width);
    Value conditioning =
        TransformerConditioning.of(
            model.at("time_text_embed"), timestep, pooled, Optional.empty(), width);
    Value read = linear(model.at("context_embedder"), text, width);
    JointBlock.Streams streams = new JointBlock.Streams(read, patches.values);
    JointAttention attention = new JointAttention(heads, normalized, Optional.empty());
    for (int layer = 0; layer < layers; layer++) {
      JointBlock block = new JointBlock(attention, layer == layers - 1, dualLayers.contains(layer));
      streams = block.apply(model.at("transformer_blocks", layer), streams, conditioning);
    }
    Value last = Modulation.last(model.at("norm_out"), streams.picture(), conditioning);
    Value out = linear(model.at("proj_out"), last, (long) patch * patch * outChannels);
    graph.output("out_hidden_states", leave(out, patches), BATCH, outChannels, "height", "width");
  }

  /** Patches row by row, [batch, patches, width], and how many there are along each side. */
  private record Patches(Value values, Value height, Value width) {}

  private Patches enter(Scope module, Value latents, long width) {
    Convolution.Window window = new Convolution.Window(patch, patch, 0, 0);
    boolean convolves = latents.type() != ElementType.BFLOAT16; // which convolutions do not take
    ElementType type = convolves ? latents.type() : ElementType.FLOAT32;
    Scope proj = module.at("proj").in(type);
    Value map = Convolution.conv2d(proj, latents.cast(type), width, window).cast(latents.type());
    Value high = map.size(2);
    Value wide = map.size(3);
    Value patches = map.reshape(0, 0, -1).transpose(0, 2, 1);
    return new Patches(
        patches.plus(middle(module, new Patches(map, high, wide), width)), high, wide);
  }

  /** The middle of the table of places, as large as the picture. */
  private Value middle(Scope module, Patches patches, long width) {
    Graph graph = module.graph();
    long all = (long) places * places;
    Value table =
        module.weight("pos_embed", new long[] {1, all, width}, new long[] {places, places, width});
    Value sizes = Value.concat(0, patches.height, patches.width);
    Value whole = graph.constant(places, places);
    Value start = whole.minus(sizes).over(graph.constant(2));
    return graph
        .node("Slice")
        .in(table, start, start.plus(sizes), graph.constant(0, 1))
        .out(table.type(), Value.FREE, Value.FREE, width)
        .reshape(1, -1, width);
  }

  /** Puts patches together again. */
  private Value leave(Value out, Patches patches) {
    Graph graph = out.graph();
    Value keep = graph.constant(0);
    Value side = graph.constant(patch);
    Value channels = graph.constant(outChannels);
    Value cut =
        out.reshapeTo(
                Value.concat(0, keep, patches.height, patches.width, side, side, channels),
                out.dim(0),
                Value.FREE,
                Value.FREE,
                patch,
                patch,
                outChannels)
            .transpose(0, 5, 1, 3, 2, 4);
    return cut.reshapeTo(
        Value.concat(0, keep, channels, patches.height.times(side), patches.width.times(side)),
        out.dim(0),
        outChannels,
        Value.FREE,
        Value.FREE);
  }
}
