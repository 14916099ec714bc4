package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linearWithoutBias;
import static io.github.diffusion4j.graph.Normalization.layerNorm;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Optional;

/**
 * The text encoder of CLIP (Radford et al. 2021, arXiv 2103.00020), with or without the projection
 * of its pooled output: a transformer whose tokens see those before them.
 *
 * @param vocabulary rows of the embedding table
 * @param positions most tokens
 * @param encoder the transformer
 * @param endToken the token whose state is the pooled output, at its first place; 2, which old
 *     configurations say wrongly, is the largest token of the text
 * @param projection width of the projected pooled output; empty if there is none
 */
record ClipTextModel(
    int vocabulary, int positions, ClipEncoder encoder, int endToken, Optional<Integer> projection)
    implements Architecture {

  private static final int LEGACY_END_TOKEN = 2;

  private static final String IDS = "input_ids";
  private static final String BATCH = "batch_size";
  private static final String TOKENS = "sequence_length";

  /** Reads config.json, with the reference's defaults. */
  static ClipTextModel of(ConfigFile config, boolean projects) {
    return new ClipTextModel(
        config.positive("vocab_size").orElse(49408),
        config.positive("max_position_embeddings").orElse(77),
        ClipEncoder.of(config, 512, 2048, 8),
        config.integer("eos_token_id").orElse(49407),
        projects ? Optional.of(config.positive("projection_dim").orElse(512)) : Optional.empty());
  }

  /** Width of the hidden states. */
  int width() {
    return encoder.width();
  }

  /** Some versions write the model's own weights without its name before them. */
  @Override
  public String presentName(String key) {
    return ClipEncoder.isOwn(key) ? "text_model." + key : key;
  }

  @Override
  public boolean takesLoraInputs() {
    return true;
  }

  @Override
  public boolean tolerates(String key) {
    return key.endsWith("position_ids")
        || key.equals("text_projection.weight")
        || key.equals("logit_scale")
        || key.startsWith("vision_model.")
        || key.startsWith("visual_projection.");
  }

  @Override
  public boolean takesBfloat16() {
    return true;
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    Scope root = graph.root();
    Scope model = root.at("text_model");
    Value ids = graph.input(IDS, ElementType.INT64, BATCH, TOKENS);
    Value mask = mask(graph, ids, edits);
    Value embedded = embed(model.at("embeddings"), ids, edits);
    List<Value> states = encoder.states(model.at("encoder"), embedded, mask);
    Value hidden = states.get(encoder.layers());
    Value last = layerNorm(model.at("final_layer_norm"), hidden, encoder.epsilon());
    Value pooled = pooled(graph, ids, last);
    if (projection.isPresent()) {
      int out = projection.get();
      Value projected = linearWithoutBias(root.at("text_projection"), pooled, out);
      graph.output("text_embeds", projected, BATCH, out);
    }
    graph.output("last_hidden_state", last, BATCH, TOKENS, width());
    if (projection.isEmpty()) {
      graph.output("pooler_output", pooled, BATCH, width());
    }
    for (int i = 0; i < states.size(); i++) {
      graph.output("hidden_states." + i, states.get(i), BATCH, TOKENS, width());
    }
  }

  private Value embed(Scope module, Value ids, List<GraphEdit> edits) {
    Value table = module.weight("token_embedding.weight", vocabulary, width());
    Value places = module.weight("position_embedding.weight", positions, width());
    Graph graph = module.graph();
    Value first =
        graph
            .node("Slice")
            .in(places, graph.constant(new long[] {0}), ids.size(1), graph.constant(0))
            .out(places.type(), Value.FREE, width());
    return TokenEmbedding.extended(table, edits).gather(ids).plus(first);
  }

  /** Minus infinity, nearly, where a token would see one after it or a hidden one. */
  private static Value mask(Graph graph, Value ids, List<GraphEdit> edits) {
    ElementType type = graph.options().type();
    Value tokens = ids.size(1);
    Value least = graph.scalar(-ConstantBytes.largest(type), ElementType.FLOAT32);
    Value square = least.expand(Value.concat(0, tokens, tokens), Value.FREE, Value.FREE);
    Value after =
        graph
            .node("Trilu")
            .in(square, graph.scalar(1, ElementType.INT64))
            .with("upper", 1)
            .out(ElementType.FLOAT32, Value.FREE, Value.FREE);
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.AttentionBias bias) {
        after = after.plus(graph.input(bias.input(), ElementType.FLOAT32, TOKENS));
        after = after.elementwise("Max", least);
      }
    }
    return after.cast(type);
  }

  private Value pooled(Graph graph, Value ids, Value last) {
    Value ranked = ids.cast(ElementType.INT32);
    if (endToken != LEGACY_END_TOKEN) {
      ranked =
          graph
              .node("Equal")
              .in(ids, graph.scalar(endToken, ElementType.INT64))
              .out(ElementType.BOOL, ids.shape())
              .cast(ElementType.INT32);
    }
    Value place =
        graph
            .node("ArgMax")
            .in(ranked)
            .with("axis", 1)
            .with("keepdims", 1)
            .out(ElementType.INT64, Value.FREE, 1);
    return graph
        .node("GatherND")
        .in(last, place)
        .with("batch_dims", 1)
        .out(last.type(), Value.FREE, width());
  }
}
