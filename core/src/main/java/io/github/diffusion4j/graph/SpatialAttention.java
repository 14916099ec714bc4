package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Linear.pointwise;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

/**
 * Attention between the places of a feature map, added to the map, as autoencoders and
 * unconditional UNets have it. Layers are named to_q, to_k, to_v, to_out.0, or in older files
 * query, key, value, proj_attn; their weights are matrices, or the kernels of 1x1 convolutions that
 * they were once.
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
    Value places = groupNorm(module.at("group_norm"), x.reshape(0, 0, -1), groups, epsilon);
    places = places.transpose(0, 2, 1);
    Value found =
        Attention.of(heads, channels)
            .apply(
                layer(module, "to_q", "query", places),
                layer(module, "to_k", "key", places),
                layer(module, "to_v", "value", places));
    Value out = layer(module, "to_out.0", "proj_attn", found);
    Value sum = x.plus(out.transpose(0, 2, 1).reshapeAs(x));
    return outputScale == 1 ? sum : sum.over(outputScale);
  }

  /** A layer under its name or, where only that is there, its old one. */
  private static Value layer(Scope attention, String name, String old, Value x) {
    boolean renamed = !attention.has(name + ".weight") && attention.has(old + ".weight");
    Scope module = attention.at(renamed ? old : name);
    return module.rank("weight") == 4
        ? pointwise(module, x, x.dim(2))
        : linear(module, x, x.dim(2));
  }

  /** Attention of one head. */
  static Value apply(Scope module, Value x, int groups, double epsilon) {
    return new SpatialAttention(1, groups, epsilon, 1).apply(module, x);
  }
}
