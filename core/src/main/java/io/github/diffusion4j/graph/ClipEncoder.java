package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.layerNorm;

import io.github.diffusion4j.config.ConfigFile;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The transformer that CLIP's encoders of texts and of pictures share (Radford et al. 2021, arXiv
 * 2103.00020).
 *
 * @param width of the hidden states
 * @param intermediate width inside the feed-forward layers
 * @param layers number of blocks
 * @param heads of the attention, a divisor of the width
 * @param activation inside the feed-forward layers
 * @param epsilon of the normalizations
 */
record ClipEncoder(
    int width, int intermediate, int layers, int heads, Activation activation, double epsilon) {

  private static final Pattern OWN =
      Pattern.compile("(embeddings|encoder|final_layer_norm|pre_layrnorm|post_layernorm)\\.");

  /** What queries find among keys. */
  private interface Lookup {
    Value apply(Value query, Value key, Value value);
  }

  /** Whether a key is of an encoder's module itself, without the name of that module. */
  static boolean isOwn(String key) {
    return OWN.matcher(key).lookingAt();
  }

  /**
   * Reads an encoder's configuration.
   *
   * @param config of texts or of pictures
   * @param width where the file has none
   * @param intermediate where the file has none
   * @param heads where the file has none
   */
  static ClipEncoder of(ConfigFile config, int width, int intermediate, int heads) {
    int states = config.positive("hidden_size").orElse(width);
    int each = config.positive("num_attention_heads").orElse(heads);
    if (states % each != 0) {
      throw config.wrong("num_attention_heads", "a divisor of hidden_size " + states, each);
    }
    return new ClipEncoder(
        states,
        config.positive("intermediate_size").orElse(intermediate),
        config.positive("num_hidden_layers").orElse(12),
        each,
        Activation.named(config.text("hidden_act").orElse("quick_gelu")),
        config.number("layer_norm_eps").orElse(1e-5));
  }

  /** The states before the first block and after each, where all tokens see each other. */
  List<Value> states(Scope module, Value x) {
    return states(module, x, Attention.of(heads, width)::apply);
  }

  /** The same, with something added to the scores. */
  List<Value> states(Scope module, Value x, Value mask) {
    Attention attention = Attention.of(heads, width);
    return states(module, x, (query, key, value) -> attention.apply(query, key, value, mask));
  }

  private List<Value> states(Scope module, Value x, Lookup lookup) {
    List<Value> states = new ArrayList<>();
    states.add(x);
    for (int layer = 0; layer < layers; layer++) {
      states.add(block(module.at("layers", layer), states.get(layer), lookup));
    }
    return states;
  }

  private Value block(Scope module, Value x, Lookup lookup) {
    Scope attention = module.at("self_attn");
    Value normal = layerNorm(module.at("layer_norm1"), x, epsilon);
    Value seen =
        lookup.apply(
            linear(attention.at("q_proj"), normal, width),
            linear(attention.at("k_proj"), normal, width),
            linear(attention.at("v_proj"), normal, width));
    Value hidden = x.plus(linear(attention.at("out_proj"), seen, width));
    Scope mlp = module.at("mlp");
    normal = layerNorm(module.at("layer_norm2"), hidden, epsilon);
    Value inner = activation.apply(linear(mlp.at("fc1"), normal, intermediate));
    return hidden.plus(linear(mlp.at("fc2"), inner, width));
  }
}
