package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;
import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

import java.util.Optional;

/**
 * A residual block of two convolutions (He et al. 2015, arXiv 1512.03385), as diffusers names its
 * parts: norm1, conv1, time_emb_proj, norm2, conv2, conv_shortcut.
 *
 * @param groups of the normalizations
 * @param epsilon of the normalizations
 * @param activation before each convolution
 * @param outputScale divides the sum of block and shortcut
 */
public record ResnetBlock(int groups, double epsilon, Activation activation, double outputScale) {

  /**
   * The block.
   *
   * @param module its weights
   * @param x [batch, in, height, width]
   * @param timestep [batch, width] or [1, width]; empty in an autoencoder
   * @param channels of the result
   * @return [batch, channels, height, width]
   */
  public Value apply(Scope module, Value x, Optional<Value> timestep, long channels) {
    Value hidden = activation.apply(groupNorm(module.at("norm1"), x, groups, epsilon));
    hidden = conv2d(module.at("conv1"), hidden, channels, 3);
    if (timestep.isPresent()) {
      Value shift = linear(module.at("time_emb_proj"), activation.apply(timestep.get()), channels);
      hidden = hidden.plus(shift.unsqueeze(2, 3));
    }
    hidden = activation.apply(groupNorm(module.at("norm2"), hidden, groups, epsilon));
    hidden = conv2d(module.at("conv2"), hidden, channels, 3);
    Value shortcut = x.dim(1) == channels ? x : conv2d(module.at("conv_shortcut"), x, channels, 1);
    Value sum = shortcut.plus(hidden);
    return outputScale == 1 ? sum : sum.over(outputScale);
  }
}
