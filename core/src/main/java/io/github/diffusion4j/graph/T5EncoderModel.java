package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linearWithoutBias;
import static io.github.diffusion4j.graph.Normalization.rmsNorm;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;

/**
 * The encoder of T5 (Raffel et al. 2019, arXiv 1910.10683): attention without scaling and with a
 * learned bias for each distance. Between the blocks it computes in 32 bits, since its states go
 * beyond the range of 16.
 *
 * @param vocabulary rows of the embedding table
 * @param width of the hidden states
 * @param intermediate width inside the feed-forward layers
 * @param layers number of transformer blocks
 * @param heads of the attention
 * @param headWidth of each
 * @param activation inside the feed-forward layers
 * @param gated whether the activation of one layer gates another
 * @param epsilon of the normalizations
 * @param distances how distances share biases
 */
record T5EncoderModel(
    int vocabulary,
    int width,
    int intermediate,
    int layers,
    int heads,
    int headWidth,
    Activation activation,
    boolean gated,
    double epsilon,
    DistanceBuckets distances)
    implements Architecture {

  private static final String BATCH = "batch_size";
  private static final String TOKENS = "sequence_length";
  private static final String GATED = "gated-";

  /** Reads config.json, with the reference's defaults. */
  static T5EncoderModel of(ConfigFile config) {
    String feedForward = config.text("feed_forward_proj").orElse("relu");
    boolean gated = feedForward.startsWith(GATED);
    String named = gated ? feedForward.substring(GATED.length()) : feedForward;
    String activation = feedForward.equals("gated-gelu") ? "gelu_new" : named;
    return new T5EncoderModel(
        config.positive("vocab_size").orElse(32128),
        config.positive("d_model").orElse(512),
        config.positive("d_ff").orElse(2048),
        config.positive("num_layers").orElse(6),
        config.positive("num_heads").orElse(8),
        config.positive("d_kv").orElse(64),
        Activation.named(activation),
        gated,
        config.number("layer_norm_epsilon").orElse(1e-6),
        new DistanceBuckets(
            config.positive("relative_attention_num_buckets").orElse(32),
            config.positive("relative_attention_max_distance").orElse(128)));
  }

  @Override
  public boolean tolerates(String key) {
    return key.equals("encoder.embed_tokens.weight")
        || key.equals("shared.weight")
        || key.equals("lm_head.weight")
        || key.startsWith("decoder.");
  }

  @Override
  public boolean takesBfloat16() {
    return true;
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.AttentionBias) {
        throw new IllegalArgumentException("a T5 encoder cannot hide tokens");
      }
    }
    Scope root = graph.root();
    Value ids = graph.input("input_ids", ElementType.INT64, BATCH, TOKENS);
    Scope embedding = root.at(root.has("shared.weight") ? "shared" : "encoder.embed_tokens");
    Value table = TokenEmbedding.extended(embedding.weight("weight", vocabulary, width), edits);
    Value hidden = table.gather(ids).cast(ElementType.FLOAT32);
    Scope blocks = root.at("encoder");
    Value bias = bias(blocks.at("block.0.layer.0.SelfAttention.relative_attention_bias"), ids);
    for (int layer = 0; layer < layers; layer++) {
      hidden = attention(blocks.at("block", layer).at("layer.0"), hidden, bias);
      hidden = feedForward(blocks.at("block", layer).at("layer.1"), hidden);
    }
    Value last = normal(blocks.at("final_layer_norm"), hidden);
    graph.output("last_hidden_state", last, BATCH, TOKENS, width);
  }

  /** Normalized in 32 bits, then in the precision of the computation. */
  private Value normal(Scope module, Value x) {
    return rmsNorm(module.in(ElementType.FLOAT32), x, epsilon).cast(module.type());
  }

  private Value attention(Scope module, Value x, Value bias) {
    Scope attention = module.at("SelfAttention");
    int inner = heads * headWidth;
    Value normal = normal(module.at("layer_norm"), x);
    Value seen =
        new Attention(heads, 1)
            .apply(
                linearWithoutBias(attention.at("q"), normal, inner),
                linearWithoutBias(attention.at("k"), normal, inner),
                linearWithoutBias(attention.at("v"), normal, inner),
                bias);
    return x.plus(linearWithoutBias(attention.at("o"), seen, width).cast(ElementType.FLOAT32));
  }

  private Value feedForward(Scope module, Value x) {
    Scope dense = module.at("DenseReluDense");
    Value normal = normal(module.at("layer_norm"), x);
    Value inner =
        gated
            ? activation
                .apply(linearWithoutBias(dense.at("wi_0"), normal, intermediate))
                .times(linearWithoutBias(dense.at("wi_1"), normal, intermediate))
            : activation.apply(linearWithoutBias(dense.at("wi"), normal, intermediate));
    Scope out = dense.at("wo");
    if (out.type() == ElementType.FLOAT16) { // the sums of published models leave its range
      out = out.in(ElementType.FLOAT32);
    }
    Value back = linearWithoutBias(out, inner.cast(out.type()), width);
    return x.plus(back.cast(ElementType.FLOAT32));
  }

  /** What is added to the scores of each head: [1, heads, tokens, tokens]. */
  private Value bias(Scope module, Value ids) {
    Graph graph = module.graph();
    Value byDistance =
        module.weight("weight", distances.buckets(), heads).gather(distances.table(graph));
    Value tokens = graph.node("Squeeze").in(ids.size(1)).out(ElementType.INT64);
    Value places =
        graph
            .node("Range")
            .in(graph.scalar(0, ElementType.INT64), tokens, graph.scalar(1, ElementType.INT64))
            .out(ElementType.INT64, Value.FREE);
    Value distance = places.unsqueeze(0).minus(places.unsqueeze(1));
    return byDistance.gather(distances.index(distance)).transpose(2, 0, 1).unsqueeze(0);
  }
}
