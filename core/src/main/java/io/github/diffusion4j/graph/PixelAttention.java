package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

/**
 * Attention among the places of a feature map, with a shortcut, as diffusers names its parts:
 * group_norm, to_q, to_k, to_v, to_out.
 *
 * @param heads divides the channels
 * @param groups of the normalization
 * @param epsilon of the normalization
 * @param outputScale divides the sum of attention and shortcut
 */
record PixelAttention(int heads, int groups, double epsilon, double outputScale) {

  /**
   * The attention.
   *
   * @param module its weights
   * @param x [batch, channels, height, width]
   * @return the same shape
   */
  Value apply(Scope module, Value x) {
    long channels = x.dim(1);
    Value tokens =
        SpatialTransformer.tokens(groupNorm(module.at("group_norm"), x, groups, epsilon));
    Value seen =
        Attention.of(heads, channels)
            .apply(
                linear(part(module, "to_q", "query"), tokens, channels),
                linear(part(module, "to_k", "key"), tokens, channels),
                linear(part(module, "to_v", "value"), tokens, channels));
    Value out = linear(part(module, "to_out.0", "proj_attn"), seen, channels);
    Value sum = out.transpose(0, 2, 1).reshapeAs(x).plus(x);
    return outputScale == 1 ? sum : sum.over(outputScale);
  }

  /** Older files have older names. */
  private static Scope part(Scope module, String name, String older) {
    return module.has(older + ".weight") ? module.at(older) : module.at(name);
  }
}
