package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

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
 * @param side height and width, in cells, that its maps mostly have
 */
public record ResnetBlock(
    int groups,
    double epsilon,
    Activation activation,
    double outputScale,
    boolean scaleShift,
    int side) {

  /**
   * The same block for maps of another size.
   *
   * @param cells height and width that they mostly have
   * @return the block
   */
  ResnetBlock withSide(int cells) {
    return new ResnetBlock(groups, epsilon, activation, outputScale, scaleShift, cells);
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
    return apply(module, Bands.whole(x), timestep, channels).joined();
  }

  /** The block of a map in parts. */
  Bands apply(Scope module, Bands x, Optional<Value> timestep, long channels) {
    Bands hidden = x.groupNorm(module.at("norm1"), groups, epsilon).map(activation::apply);
    hidden = hidden.conv3x3(module.at("conv1"), channels, side);
    Optional<Value> told =
        timestep.map(
            embedding ->
                linear(
                        module.at("time_emb_proj"),
                        activation.apply(embedding),
                        scaleShift ? 2 * channels : channels)
                    .unsqueeze(2, 3));
    if (told.isPresent() && !scaleShift) {
      hidden = hidden.map(part -> part.plus(told.get()));
    }
    hidden = hidden.groupNorm(module.at("norm2"), groups, epsilon);
    if (told.isPresent() && scaleShift) {
      List<Value> parts = told.get().split(1, 2);
      hidden = hidden.map(part -> part.times(parts.get(0).plus(1)).plus(parts.get(1)));
    }
    hidden = hidden.map(activation::apply).conv3x3(module.at("conv2"), channels, side);
    Bands shortcut =
        x.channels() == channels ? x : x.pointwise(module.at("conv_shortcut"), channels);
    Bands sum = shortcut.with(hidden, Value::plus);
    return outputScale == 1 ? sum : sum.map(part -> part.over(outputScale));
  }
}
