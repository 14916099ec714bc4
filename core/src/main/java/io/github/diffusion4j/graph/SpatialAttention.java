package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

/**
 * Attention between the places of a feature map, added to the map, as autoencoders and
 * unconditional UNets have it. Weights are named to_q, to_k, to_v, to_out.0, or in older files
 * query, key, value, proj_attn.
 *
 * @param heads divides the channels
 * @param groups of the normalization
 * @param epsilon of the normalization
 * @param outputScale divides the sum of attention and map
 */
record SpatialAttention(int heads, int groups, double epsilon, double outputScale) {

  /** The map [batch, channels, height, width] with what each place found in the others. */
  Value apply(Scope module, Value x) {
    long channels = x.dim(1);
    boolean old = module.has("query.weight");
    Value places = groupNorm(module.at("group_norm"), x.reshape(0, 0, -1), groups, epsilon);
    places = places.transpose(0, 2, 1);
    Value found =
        Attention.of(heads, channels)
            .apply(
                linear(module.at(old ? "query" : "to_q"), places, channels),
                linear(module.at(old ? "key" : "to_k"), places, channels),
                linear(module.at(old ? "value" : "to_v"), places, channels));
    Value out = linear(module.at(old ? "proj_attn" : "to_out.0"), found, channels);
    Value sum = x.plus(out.transpose(0, 2, 1).reshapeAs(x));
    return outputScale == 1 ? sum : sum.over(outputScale);
  }

  /** Attention of one head. */
  static Value apply(Scope module, Value x, int groups, double epsilon) {
    return new SpatialAttention(1, groups, epsilon, 1).apply(module, x);
  }
}
