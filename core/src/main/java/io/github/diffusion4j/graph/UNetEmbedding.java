package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static io.github.diffusion4j.graph.Linear.linearWithoutBias;
import static io.github.diffusion4j.graph.Normalization.layerNorm;

/**
 * What a UNet's residual networks are told: the embedding of the timestep and what is added to it.
 *
 * @param config the UNet
 * @param inputs what it reads
 */
record UNetEmbedding(UNetConfig config, UNetInputs inputs) {

  private static final double EPSILON = 1e-5;

  /**
   * The sum of all embeddings.
   *
   * @param root the UNet's module
   * @return [batch, width], or [1, width] where it is the same for all
   */
  Value apply(Scope root) {
    UNetConfig.TimeConfig time = config.time();
    Value sinusoids = sinusoids(root, inputs.timestep().reshape(-1));
    if (inputs.condition().isPresent()) {
      Scope projection = root.at("time_embedding.cond_proj");
      sinusoids =
          sinusoids.plus(linearWithoutBias(projection, inputs.condition().get(), time.sinusoids()));
    }
    Value sum = layers(root.at("time_embedding"), sinusoids);
    if (inputs.labels().isPresent()) {
      sum = withClasses(sum, classes(root));
    }
    sum =
        switch (config.extra().addition()) {
          case NONE -> sum;
          case TEXT -> sum.plus(pooledText(root.at("add_embedding")));
          case TEXT_TIME -> sum.plus(textAndSizes(root.at("add_embedding")));
        };
    return activated(time.finalActivation(), sum);
  }

  private Value layers(Scope module, Value x) {
    UNetConfig.TimeConfig time = config.time();
    Activation activation = Activation.named(time.activation());
    Value hidden = activation.apply(linear(module.at("linear_1"), x, time.width()));
    return activated(time.postActivation(), linear(module.at("linear_2"), hidden, time.width()));
  }

  private static Value activated(String activation, Value x) {
    return activation.isEmpty() ? x : Activation.named(activation).apply(x);
  }

  private Value sinusoids(Scope root, Value numbers) {
    UNetConfig.TimeConfig time = config.time();
    if (!time.fourier()) {
      return new TimestepEmbedding(time.sinusoids(), time.cosineFirst(), time.frequencyShift())
          .sinusoids(numbers);
    }
    Value x = time.logarithm() ? numbers.map("Log") : numbers;
    Value angles =
        x.unsqueeze(1)
            .times(root.weight("time_proj.weight", time.sinusoids() / 2).cast(numbers.type()))
            .times(2 * Math.PI);
    Value sines = angles.map("Sin");
    Value cosines = angles.map("Cos");
    return (time.cosineFirst()
            ? Value.concat(-1, cosines, sines)
            : Value.concat(-1, sines, cosines))
        .cast(root.graph().options().type());
  }

  private Value classes(Scope root) {
    UNetConfig.EmbeddingConfig extra = config.extra();
    Scope module = root.at("class_embedding");
    Value labels = inputs.labels().orElseThrow();
    int width = config.time().width();
    return switch (extra.classes()) {
      case TABLE -> module.weight("weight", extra.classSize(), width).gather(labels);
      case TIMESTEP -> layers(module, sinusoids(root, labels));
      case PROJECTION -> TimestepEmbedding.layers(module, labels, width);
      case SIMPLE_PROJECTION -> linear(module, labels, width);
      case IDENTITY, NONE -> labels;
    };
  }

  private Value withClasses(Value sum, Value classes) {
    if (!config.extra().classesConcatenated()) {
      return sum.plus(classes);
    }
    Graph graph = sum.graph();
    Value shape = Value.concat(0, classes.size(0), graph.constant(config.time().width()));
    Value rows = sum.expand(shape, classes.dim(0), config.time().width());
    return Value.concat(-1, rows, classes);
  }

  private Value textAndSizes(Scope module) {
    UNetConfig.EmbeddingConfig extra = config.extra();
    UNetConfig.TimeConfig time = config.time();
    Value sizes = inputs.sizes().orElseThrow();
    Value pooled = inputs.pooled().orElseThrow();
    Value embedded =
        new TimestepEmbedding(extra.additionSinusoids(), time.cosineFirst(), time.frequencyShift())
            .sinusoids(sizes.reshape(-1))
            .reshapeTo(
                Value.concat(0, sizes.size(0), sizes.graph().constant(-1)),
                sizes.dim(0),
                pooled.dim(1) == Value.FREE ? Value.FREE : extra.additionWidth() - pooled.dim(1));
    Value all = Value.concat(-1, pooled, embedded).knownAs(Value.FREE, extra.additionWidth());
    return TimestepEmbedding.layers(module, all, time.width());
  }

  /** Attention of the tokens' mean over all tokens, between two normalizations. */
  private Value pooledText(Scope module) {
    Value text = inputs.text().orElseThrow();
    long width = text.dim(2);
    Value tokens = layerNorm(module.at("norm1"), text, EPSILON);
    Scope pool = module.at("pool");
    Value mean = tokens.mean(1).plus(pool.weight("positional_embedding", 1, width));
    Value all = Value.concat(1, mean, tokens);
    Value seen =
        Attention.of(config.extra().additionHeads(), width)
            .apply(
                linear(pool.at("q_proj"), mean, width),
                linear(pool.at("k_proj"), all, width),
                linear(pool.at("v_proj"), all, width));
    Value projected = linear(module.at("proj"), seen.reshape(0, width), config.time().width());
    return layerNorm(module.at("norm2"), projected, EPSILON);
  }

  /**
   * The text as attention reads it.
   *
   * @param root the UNet's module
   * @return [batch, tokens, width]
   */
  Value context(Scope root) {
    Value text = inputs.text().orElseThrow();
    return config.extra().textProjected()
        ? linear(root.at("encoder_hid_proj"), text, contextWidth())
        : text;
  }

  private int contextWidth() {
    return java.util.stream.Stream.concat(config.down().stream(), config.mid().stream())
        .mapToInt(block -> block.attention().contextWidth())
        .max()
        .orElseThrow();
  }
}
