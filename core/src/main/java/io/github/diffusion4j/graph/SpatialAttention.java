package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Linear.pointwise;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Attention between the places of a feature map, added to the map, as autoencoders and
 * unconditional UNets have it. Layers are named to_q, to_k, to_v, to_out.0; their weights are
 * matrices, or the kernels of 1x1 convolutions that they were once.
 *
 * @param heads divides the channels
 * @param groups of the normalization
 * @param epsilon of the normalization
 * @param outputScale divides the sum of attention and map
 */
record SpatialAttention(int heads, int groups, double epsilon, double outputScale) {

  private static final Pattern OLD =
      Pattern.compile("(.*\\.attentions\\.\\d+\\.)(query|key|value|proj_attn)(\\.(?:weight|bias))");
  private static final Map<String, String> PRESENT =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  /** The map [batch, channels, height, width] with what each place found in the others. */
  Value apply(Scope module, Value x) {
    long channels = x.dim(1);
    Value places = groupNorm(module.at("group_norm"), x.reshape(0, 0, -1), groups, epsilon);
    places = places.transpose(0, 2, 1);
    Value found =
        Attention.of(heads, channels)
            .apply(
                layer(module.at("to_q"), places),
                layer(module.at("to_k"), places),
                layer(module.at("to_v"), places));
    Value out = layer(module.at("to_out.0"), found);
    Value sum = x.plus(out.transpose(0, 2, 1).reshapeAs(x));
    return outputScale == 1 ? sum : sum.over(outputScale);
  }

  private static Value layer(Scope module, Value x) {
    long channels = x.dim(2);
    return module.rank("weight") == 4
        ? pointwise(module, x, channels)
        : linear(module, x, channels);
  }

  /** The present name of a weight; old files have query, key, value, proj_attn. */
  static String presentName(String key) {
    Matcher matcher = OLD.matcher(key);
    return matcher.matches()
        ? matcher.group(1) + PRESENT.get(matcher.group(2)) + matcher.group(3)
        : key;
  }

  /** Attention of one head. */
  static Value apply(Scope module, Value x, int groups, double epsilon) {
    return new SpatialAttention(1, groups, epsilon, 1).apply(module, x);
  }
}
