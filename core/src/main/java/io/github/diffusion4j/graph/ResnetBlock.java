package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;
import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.groupNorm;

import java.util.List;
import java.util.Optional;

/**
 * A residual block of two convolutions (He et al. 2015, arXiv 1512.03385), as diffusers names its
 * parts: norm1, conv1, time_emb_proj, norm2, conv2, conv_shortcut.
 *
 * @param groups of the normalizations
 * @param epsilon of the normalizations
 * @param activation before each convolution
 * @param outputScale divides the sum of block and shortcut
 * @param scaleShift whether the timestep scales and shifts what the second normalization gives;
 *     else it shifts what goes into it
 */
public record ResnetBlock(
    int groups, double epsilon, Activation activation, double outputScale, boolean scaleShift) {

  /**
   * A block that the timestep only shifts, or that knows none.
   *
   * @param groups of the normalizations
   * @param epsilon of the normalizations
   * @param activation before each convolution
   * @param outputScale divides the sum of block and shortcut
   */
  public ResnetBlock(int groups, double epsilon, Activation activation, double outputScale) {
    this(groups, epsilon, activation, outputScale, false);
  }

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
    Optional<Value> told =
        timestep.map(
            embedding ->
                linear(
                        module.at("time_emb_proj"),
                        activation.apply(embedding),
                        scaleShift ? 2 * channels : channels)
                    .unsqueeze(2, 3));
    if (told.isPresent() && !scaleShift) {
      hidden = hidden.plus(told.get());
    }
    hidden = groupNorm(module.at("norm2"), hidden, groups, epsilon);
    if (told.isPresent() && scaleShift) {
      List<Value> parts = told.get().split(1, 2);
      hidden = hidden.times(parts.get(0).plus(1)).plus(parts.get(1));
    }
    hidden = activation.apply(hidden);
    hidden = conv2d(module.at("conv2"), hidden, channels, 3);
    Value shortcut = x.dim(1) == channels ? x : conv2d(module.at("conv_shortcut"), x, channels, 1);
    Value sum = shortcut.plus(hidden);
    return outputScale == 1 ? sum : sum.over(outputScale);
  }
}
