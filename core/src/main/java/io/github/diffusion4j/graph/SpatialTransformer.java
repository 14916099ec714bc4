package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.FeedForward.feedForward;
import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Normalization.groupNorm;
import static io.github.diffusion4j.graph.Normalization.layerNorm;

import io.github.diffusion4j.graph.UNetBlock.BlockAttention;

/**
 * A transformer over the places of a feature map that also reads the text (Rombach et al. 2022,
 * arXiv 2112.10752): {@code Transformer2DModel} of diffusers.
 *
 * @param attention heads and widths
 * @param config what all transformers of the UNet share
 * @param groups of the normalization at its begin
 */
record SpatialTransformer(
    BlockAttention attention, UNetConfig.TransformerConfig config, int groups) {

  private static final double GROUP_EPSILON = 1e-6;
  private static final double LAYER_EPSILON = 1e-5;

  /**
   * The transformer with its shortcut.
   *
   * @param module its weights
   * @param x [batch, channels, height, width]
   * @param text [batch, tokens, width]
   * @param depth transformer blocks
   * @return the shape of {@code x}
   */
  Value apply(Scope module, Value x, Value text, int depth) {
    Value normal = groupNorm(module.at("norm"), x.reshape(0, 0, -1), groups, GROUP_EPSILON);
    Value tokens = project(module.at("proj_in"), normal.transpose(0, 2, 1));
    for (int i = 0; i < depth; i++) {
      tokens = block(module.at("transformer_blocks", i), tokens, text);
    }
    Value out = project(module.at("proj_out"), tokens);
    return out.transpose(0, 2, 1).reshapeAs(x).plus(x);
  }

  /** A convolution with a kernel of one place is a layer for each place. */
  private Value project(Scope module, Value tokens) {
    long width = tokens.dim(2);
    return config.linearProjection()
        ? linear(module, tokens, width)
        : Linear.pointwise(module, tokens, width);
  }

  private Value block(Scope module, Value x, Value text) {
    Value normal = layerNorm(module.at("norm1"), x, LAYER_EPSILON);
    Value first = attention.onlyCross() ? text : normal;
    Value hidden = x.plus(attend(module.at("attn1"), normal, first));
    normal = layerNorm(module.at("norm2"), hidden, LAYER_EPSILON);
    hidden = hidden.plus(attend(module.at("attn2"), normal, text));
    normal = layerNorm(module.at("norm3"), hidden, LAYER_EPSILON);
    return hidden.plus(feedForward(module.at("ff"), normal, "geglu"));
  }

  private Value attend(Scope module, Value x, Value context) {
    long width = x.dim(2);
    Value seen =
        Attention.of(attention.heads(), width)
            .apply(
                wide(Linear.linearWithoutBias(module.at("to_q"), x, width)),
                wide(Linear.linearWithoutBias(module.at("to_k"), context, width)),
                wide(Linear.linearWithoutBias(module.at("to_v"), context, width)));
    return linear(module.at("to_out.0"), seen.cast(x.type()), width);
  }

  /** In 32 bits where the model asks for it. */
  private Value wide(Value x) {
    return config.upcast() ? x.cast(io.github.diffusion4j.onnx.ElementType.FLOAT32) : x;
  }
}
