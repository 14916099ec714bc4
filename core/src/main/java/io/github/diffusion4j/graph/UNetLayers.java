package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Convolution.conv2d;
import static io.github.diffusion4j.graph.Convolution.conv3x3;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The blocks of a UNet (Ronneberger et al. 2015, arXiv 1505.04597) in one graph.
 *
 * @param config the UNet
 * @param root its module
 * @param embedding what the residual networks are told
 * @param text what transformers read; empty if none does
 */
record UNetLayers(UNetConfig config, Scope root, Value embedding, Optional<Value> text) {

  /**
   * Results of the half that goes down, and what the half that goes up begins with: all results, or
   * the first ones, which belong to as many last layers up.
   */
  record Encoded(List<Value> skips, Value last) {}

  /**
   * Adds the embeddings.
   *
   * @param config the UNet
   * @param root its module
   * @param inputs what it reads
   * @return the layers after them
   */
  static UNetLayers of(UNetConfig config, Scope root, UNetInputs inputs) {
    UNetEmbedding embedding = new UNetEmbedding(config, inputs);
    Value sum = embedding.apply(root);
    Optional<Value> text = inputs.text().map(given -> embedding.context(root));
    return new UNetLayers(config, root, sum, text);
  }

  /**
   * The first convolution.
   *
   * @param sample [batch, channels, height, width]
   * @return the map of the finest resolution
   */
  Value enter(Value sample) {
    Value centered = config.input().centered() ? sample.times(2).plus(-1) : sample;
    return conv2d(root.at("conv_in"), centered, config.firstChannels(), config.input().kernel());
  }

  /**
   * The half that goes down.
   *
   * @param entered result of the first convolution
   * @return that and the result of every layer
   */
  Encoded encode(Value entered) {
    return encode(entered, 1 + down().size());
  }

  /**
   * The beginning of the half that goes down.
   *
   * @param entered result of the first convolution
   * @param results how many, that of the convolution among them
   * @return these
   */
  Encoded encode(Value entered, int results) {
    List<Value> skips = new ArrayList<>(List.of(entered));
    Value x = entered;
    for (UnaryOperator<Value> step : down().subList(0, results - 1)) {
      x = step.apply(x);
      skips.add(x);
    }
    return new Encoded(skips, x);
  }

  /** What gives a result that goes across: each layer on the way down, and each halving. */
  private List<UnaryOperator<Value>> down() {
    List<UnaryOperator<Value>> steps = new ArrayList<>();
    for (int i = 0; i < config.down().size(); i++) {
      UNetBlock block = config.down().get(i);
      Scope module = root.at("down_blocks", i);
      for (int j = 0; j < block.layers(); j++) {
        int layer = j;
        steps.add(x -> layer(module, block, layer, x));
      }
      if (block.resampled()) {
        steps.add(x -> downsample(module.at("downsamplers.0.conv"), x));
      }
    }
    return steps;
  }

  /**
   * The mid block.
   *
   * @param x the map of the coarsest resolution
   * @return a map of the same shape, the same if there is no such block
   */
  Value mid(Value x) {
    if (config.midBlock().isEmpty()) {
      return x;
    }
    UNetBlock block = config.midBlock().get();
    Scope module = root.at("mid_block");
    double scale = config.resnet().midScale();
    Value hidden = resnet(module.at("resnets", 0), block, x, scale);
    for (int layer = 1; layer < block.layers(); layer++) {
      hidden = attention(module.at("attentions", layer - 1), block, layer - 1, hidden, scale);
      hidden = resnet(module.at("resnets", layer), block, hidden, scale);
    }
    return hidden;
  }

  /**
   * The half that goes up, to the picture.
   *
   * @param encoded what the other half gave
   * @return [batch, channels, height, width]
   */
  Value decode(Encoded encoded) {
    return leave(rise(encoded, 0));
  }

  /**
   * Layers of the half that goes up.
   *
   * @param encoded its results are read from the last on; where they are not all, the layers below
   *     the one that reads the last of them are left out
   * @param unread how many results, the first ones, are left to layers above
   * @return what the layer above reads beside the result that it is left
   */
  Value rise(Encoded encoded, int unread) {
    Deque<Value> skips = new ArrayDeque<>(encoded.skips());
    Value x = encoded.last();
    int begin = config.upLayers() - skips.size();
    int end = config.upLayers() - unread;
    int seen = 0;
    for (int i = 0; i < config.up().size(); i++) {
      UNetBlock block = config.up().get(i);
      Scope module = root.at("up_blocks", i);
      for (int layer = 0; layer < block.layers(); layer++, seen++) {
        if (seen >= begin && seen < end) {
          x = layer(module, block, layer, Value.concat(1, x, skips.removeLast()));
        }
      }
      if (block.resampled() && seen > begin && seen <= end) {
        Value wide = Convolution.upsampleNearest(x, skips.getLast());
        x = conv3x3(module.at("upsamplers.0.conv"), wide, block.channels(), 2 * block.side());
      }
    }
    return x;
  }

  /**
   * The last convolution.
   *
   * @param x the map of the finest resolution
   * @return [batch, channels, height, width]
   */
  Value leave(Value x) {
    UNetConfig.ResnetConfig shared = config.resnet();
    Value normal =
        Normalization.groupNorm(root.at("conv_norm_out"), x, shared.groups(), shared.epsilon());
    Value active = Activation.named(shared.activation()).apply(normal);
    return conv2d(
        root.at("conv_out"), active, config.output().channels(), config.output().kernel());
  }

  private Value layer(Scope module, UNetBlock block, int layer, Value x) {
    Value hidden = resnet(module.at("resnets", layer), block, x, 1);
    return attention(module.at("attentions", layer), block, layer, hidden, 1);
  }

  private Value resnet(Scope module, UNetBlock block, Value x, double scale) {
    UNetConfig.ResnetConfig shared = config.resnet();
    return new ResnetBlock(
            shared.groups(),
            shared.epsilon(),
            Activation.named(shared.activation()),
            scale,
            shared.scaleShift(),
            block.side())
        .apply(module, x, Optional.of(embedding), block.channels());
  }

  private Value attention(Scope module, UNetBlock block, int layer, Value x, double scale) {
    int groups = config.resnet().groups();
    return switch (block.kind()) {
      case PLAIN -> x;
      case ATTENTION ->
          new SpatialAttention(block.attention().heads(), groups, config.resnet().epsilon(), scale)
              .apply(module, x);
      case CROSS_ATTENTION ->
          new SpatialTransformer(block.attention(), config.transformer(), groups)
              .apply(module, x, text.orElseThrow(), block.attention().depth(layer));
    };
  }

  private Value downsample(Scope module, Value x) {
    int before = config.resnet().downsamplePadding();
    return conv2d(module, x, x.dim(1), new Convolution.Window(3, 2, before, 1));
  }
}
