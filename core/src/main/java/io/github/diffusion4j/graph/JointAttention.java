package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.rmsNorm;

import java.util.Optional;

/**
 * Attention of a multimodal diffusion transformer (Esser et al. 2024, arXiv 2403.03206): text and
 * picture have layers of their own and look at each other.
 *
 * @param heads divides the width
 * @param normalized whether queries and keys are divided by their root mean square
 * @param rotary turns queries and keys, text before picture
 */
record JointAttention(int heads, boolean normalized, Optional<RotaryEmbedding> rotary) {

  private static final double EPSILON = 1e-6;

  /** Names of one stream's layers. */
  private record Names(String query, String key, String value, String norm) {
    static final Names PICTURE = new Names("to_q", "to_k", "to_v", "norm_");
    static final Names TEXT = new Names("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_");
  }

  /** Queries and keys [batch, tokens, heads, head width], values [batch, tokens, width]. */
  private record Projected(Value query, Value key, Value value) {
    Projected after(Projected first) {
      return new Projected(
          Value.concat(1, first.query, query),
          Value.concat(1, first.key, key),
          Value.concat(1, first.value, value));
    }
  }

  /** What both streams find, before the layers that follow. */
  record Found(Value text, Value picture) {}

  /**
   * Text and picture together.
   *
   * @param module their layers
   * @param text [batch, tokens, width]
   * @param picture [batch, patches, width]
   */
  Found apply(Scope module, Value text, Value picture) {
    Projected both =
        project(module, picture, Names.PICTURE).after(project(module, text, Names.TEXT));
    Value found = attend(both);
    Value tokens = text.size(1);
    Graph graph = module.graph();
    Value start = graph.constant(0);
    Value axis = graph.constant(1);
    Value ofText =
        graph.node("Slice").in(found, start, tokens, axis).out(text.type(), text.shape());
    Value ofPicture =
        graph
            .node("Slice")
            .in(found, tokens, graph.constant(Long.MAX_VALUE), axis)
            .out(picture.type(), picture.shape());
    return new Found(ofText, ofPicture);
  }

  /** One stream alone. */
  Value apply(Scope module, Value x) {
    return attend(project(module, x, Names.PICTURE));
  }

  private Value attend(Projected in) {
    long width = in.value.dim(2);
    Value query = rotary.map(turn -> turn.apply(in.query)).orElse(in.query);
    Value key = rotary.map(turn -> turn.apply(in.key)).orElse(in.key);
    return Attention.of(heads, width)
        .apply(query.reshape(0, 0, width), key.reshape(0, 0, width), in.value);
  }

  private Projected project(Scope module, Value x, Names names) {
    long width = x.dim(2);
    Value query = split(linear(module.at(names.query), x, width));
    Value key = split(linear(module.at(names.key), x, width));
    return new Projected(
        normalized ? rmsNorm(module.at(names.norm + "q"), query, EPSILON) : query,
        normalized ? rmsNorm(module.at(names.norm + "k"), key, EPSILON) : key,
        linear(module.at(names.value), x, width));
  }

  private Value split(Value x) {
    return x.reshape(0, 0, heads, x.dim(2) / heads);
  }
}
