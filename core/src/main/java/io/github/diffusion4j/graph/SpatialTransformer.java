package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Linear.linearWithoutBias;
import static io.github.diffusion4j.graph.Normalization.groupNorm;
import static io.github.diffusion4j.graph.Normalization.layerNorm;
import static io.github.diffusion4j.graph.Normalization.layerNormOfSum;

import io.github.diffusion4j.graph.Normalization.NormalizedSum;
import io.github.diffusion4j.graph.UNetBlock.BlockAttention;
import io.github.diffusion4j.onnx.ElementType;
import java.util.Optional;

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

  /** Tokens of all pictures in rows, and the text, with what takes them apart again. */
  private record Tokens(Value text, Value shape) {}

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
    long channels = x.dim(1);
    Graph graph = x.graph();
    Value batch = x.size(0);
    Value normal = groupNorm(module.at("norm"), x.reshape(0, 0, -1), groups, GROUP_EPSILON);
    Value rows = normal.transpose(0, 2, 1).reshape(-1, channels);
    Value shape = Value.concat(0, batch, graph.constant(-1, channels));
    Tokens tokens = new Tokens(text.reshape(-1, text.dim(2)), shape);
    Value hidden = blocks(module, project(module.at("proj_in"), rows), tokens, depth);
    Value out = project(module.at("proj_out"), hidden);
    Value places = out.reshapeTo(shape, x.dim(0), Value.FREE, channels);
    return places.transpose(0, 2, 1).reshapeAs(x).plus(x);
  }

  /** A convolution with a kernel of one place is a layer for each place. */
  private Value project(Scope module, Value rows) {
    long width = rows.dim(1);
    return config.linearProjection()
        ? linear(module, rows, width)
        : Linear.pointwise(module, rows, width);
  }

  /** Every sum but the last is normalized at once, by what comes next. */
  private Value blocks(Scope module, Value rows, Tokens tokens, int depth) {
    Value hidden = rows;
    Optional<Scope> before = Optional.empty();
    Value update = rows;
    for (int i = 0; i < depth; i++) {
      Scope block = module.at("transformer_blocks", i);
      Value normal;
      if (before.isEmpty()) {
        normal = layerNorm(block.at("norm1"), hidden, LAYER_EPSILON);
      } else {
        NormalizedSum sum = sum(block.at("norm1"), hidden, update, before.get());
        normal = sum.normal();
        hidden = sum.sum();
      }
      Scope layer = block.at("attn1");
      update = attend(layer, normal, attention.onlyCross(), tokens);
      NormalizedSum second = sum(block.at("norm2"), hidden, update, layer.at("to_out.0"));
      layer = block.at("attn2");
      update = attend(layer, second.normal(), true, tokens);
      NormalizedSum third = sum(block.at("norm3"), second.sum(), update, layer.at("to_out.0"));
      hidden = third.sum();
      layer = block.at("ff");
      Value wide = FeedForward.hidden(layer, third.normal(), "geglu");
      before = Optional.of(layer.at("net.2"));
      if (i == depth - 1) {
        return hidden.plus(linear(before.get(), wide, hidden.dim(1)));
      }
      update = linearWithoutBias(before.get(), wide, hidden.dim(1));
    }
    return hidden;
  }

  private static NormalizedSum sum(Scope norm, Value hidden, Value update, Scope layer) {
    return layerNormOfSum(norm, hidden, update, layer.weight("bias", hidden.dim(1)));
  }

  /** Attention up to its last layer's bias. */
  private Value attend(Scope module, Value rows, boolean reads, Tokens tokens) {
    long width = rows.dim(1);
    Value context = reads ? tokens.text() : rows;
    Value seen =
        Attention.of(attention.heads(), width)
            .apply(
                apart(linearWithoutBias(module.at("to_q"), rows, width), tokens),
                apart(linearWithoutBias(module.at("to_k"), context, width), tokens),
                apart(linearWithoutBias(module.at("to_v"), context, width), tokens));
    Value found = seen.cast(rows.type()).reshape(-1, width);
    return linearWithoutBias(module.at("to_out.0"), found, width);
  }

  /** [batch, tokens, width], in 32 bits where the model asks for it. */
  private Value apart(Value rows, Tokens tokens) {
    Value apart = rows.reshapeTo(tokens.shape(), Value.FREE, Value.FREE, rows.dim(1));
    return config.upcast() ? apart.cast(ElementType.FLOAT32) : apart;
  }
}
