package io.github.diffusion4j.graph;

import java.util.Optional;

/** What diffusion transformers are told for the whole picture: time, pooled text, guidance. */
final class TransformerConditioning {

  private static final TimestepEmbedding SINUSOIDS = new TimestepEmbedding(256, true, 0);

  private TransformerConditioning() {}

  /**
   * The sum of the embeddings.
   *
   * @param module their layers
   * @param timestep [batch], in the network's units
   * @param pooled [batch, pooled width]
   * @param guidance [batch], in the network's units, where the network takes it
   * @return [batch, width]
   */
  static Value of(
      Scope module, Value timestep, Value pooled, Optional<Value> guidance, long width) {
    Value sum =
        TimestepEmbedding.layers(
            module.at("timestep_embedder"), SINUSOIDS.sinusoids(timestep), width);
    if (guidance.isPresent()) {
      sum =
          sum.plus(
              TimestepEmbedding.layers(
                  module.at("guidance_embedder"), SINUSOIDS.sinusoids(guidance.get()), width));
    }
    return sum.plus(TimestepEmbedding.layers(module.at("text_embedder"), pooled, width));
  }
}
