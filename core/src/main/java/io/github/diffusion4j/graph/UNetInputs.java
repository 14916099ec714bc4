package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.Optional;

/**
 * What a UNet reads. Networks in one graph share it.
 *
 * @param sample [batch, channels, height, width]
 * @param timestep a scalar, or one number for each row [batch]; in 32 bits
 * @param text [batch, tokens, width]; empty if no block reads text
 * @param pooled pooled text embedding [batch, width]; empty if it is not read
 * @param sizes numbers to be embedded [batch, count]; empty if they are not read
 * @param condition what is added to the timestep's sinusoids [batch, width]; empty if nothing
 * @param labels class labels [batch], or their embeddings [batch, width]; empty without classes
 */
record UNetInputs(
    Value sample,
    Value timestep,
    Optional<Value> text,
    Optional<Value> pooled,
    Optional<Value> sizes,
    Optional<Value> condition,
    Optional<Value> labels) {

  static final String BATCH = "batch_size";
  static final String HEIGHT = "height";
  static final String WIDTH = "width";
  static final String TOKENS = "sequence_length";

  /**
   * Adds the inputs to a graph, under the names that optimum's exports have.
   *
   * @param graph without them yet
   * @param config what is read
   * @param pooledWidth width of the pooled text embedding; 0 if it is not known
   * @param timesteps dimensions of the timestep: none, or the rows
   * @return the inputs
   */
  static UNetInputs declare(Graph graph, UNetConfig config, int pooledWidth, Object... timesteps) {
    ElementType type = graph.options().type();
    UNetConfig.EmbeddingConfig extra = config.extra();
    Value sample = graph.input("sample", type, BATCH, config.input().channels(), HEIGHT, WIDTH);
    Value timestep = graph.input("timestep", ElementType.FLOAT32, timesteps);
    Optional<Value> text = Optional.empty();
    Optional<Value> pooled = Optional.empty();
    Optional<Value> sizes = Optional.empty();
    Optional<Value> condition = Optional.empty();
    if (config.readsText()) {
      text =
          Optional.of(graph.input("encoder_hidden_states", type, BATCH, TOKENS, extra.textWidth()));
    }
    if (extra.addition() == UNetConfig.Addition.TEXT_TIME) {
      Object width = pooledWidth > 0 ? pooledWidth : "text_embeds_width";
      Object count =
          pooledWidth > 0
              ? (extra.additionWidth() - pooledWidth) / extra.additionSinusoids()
              : "time_ids_count";
      pooled = Optional.of(graph.input("text_embeds", type, BATCH, width));
      sizes = Optional.of(graph.input("time_ids", ElementType.FLOAT32, BATCH, count));
    }
    if (config.time().conditionWidth() > 0) {
      condition =
          Optional.of(graph.input("timestep_cond", type, BATCH, config.time().conditionWidth()));
    }
    return new UNetInputs(
        sample, timestep, text, pooled, sizes, condition, labels(graph, type, extra));
  }

  private static Optional<Value> labels(
      Graph graph, ElementType type, UNetConfig.EmbeddingConfig extra) {
    String name = "class_labels";
    return switch (extra.classes()) {
      case NONE -> Optional.empty();
      case TABLE -> Optional.of(graph.input(name, ElementType.INT64, BATCH));
      case TIMESTEP -> Optional.of(graph.input(name, ElementType.FLOAT32, BATCH));
      case IDENTITY, PROJECTION, SIMPLE_PROJECTION ->
          Optional.of(graph.input(name, type, BATCH, extra.classSize()));
    };
  }
}
