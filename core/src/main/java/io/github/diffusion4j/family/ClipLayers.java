package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptOptions;
import java.util.Optional;

/** A CLIP text encoder of which a layer before the last is read. Thread-safe. */
final class ClipLayers {

  private static final String LAYER = "hidden_states.";

  private final TextEncoder encoder;
  private final int layers;

  /** Checks that the network gives the hidden states of the layer before the last. */
  ClipLayers(TextEncoder encoder, ConfigFile config) {
    this.encoder = encoder;
    this.layers = config.positive("num_hidden_layers").orElseGet(this::deepest);
    if (!encoder.model().outputs().containsKey(LAYER + (layers - 1))) {
      throw new ModelFormatException(
          "%s: the network has no output \"%s\", the layer before the last; it has only %s. Export it with the hidden states"
              .formatted(
                  encoder.model().component(),
                  LAYER + (layers - 1),
                  encoder.model().outputs().keySet()));
    }
    encoder.hidden(LAYER + (layers - 1));
  }

  private int deepest() {
    return encoder.model().outputs().keySet().stream()
        .filter(name -> name.matches("hidden_states\\.\\d{1,4}"))
        .mapToInt(name -> Integer.parseInt(name.substring(LAYER.length())))
        .max()
        .orElse(1);
  }

  /** Width of a token's embedding, -1 where the network does not say. */
  long width() {
    return encoder.hidden(LAYER + (layers - 1)).dim(2);
  }

  /** Width of the embedding of the whole text, -1 where the network does not say. */
  long pooledWidth(String name) {
    return encoder.pooled(name).dim(1);
  }

  /**
   * Encodes a plain text, with the embedding of the whole.
   *
   * @param skip layers to leave out beyond the last, at least 0
   * @param pooled the output of the embedding of the whole
   */
  TextFeatures encode(String text, int skip, String pooled, CancelToken cancel) {
    return embedder(PromptOptions.PLAIN, skip, Optional.of(pooled), cancel).embed(text);
  }

  /**
   * What embeds prompts for one generation.
   *
   * @param options how they are read
   * @param skip layers to leave out beyond the last, at least 0
   * @param pooled the output of the embedding of the whole, if it is wanted
   */
  PromptEmbedder embedder(
      PromptOptions options, int skip, Optional<String> pooled, CancelToken cancel) {
    TextEncoder.Outputs outputs = new TextEncoder.Outputs(layer(skip), pooled);
    return new PromptEmbedder(
        encoder.tokenizer(),
        options,
        (ids, hidden) -> encoder.encode(ids, hidden, outputs, cancel));
  }

  private String layer(int skip) {
    String name = LAYER + (layers - 1 - skip);
    if (!encoder.model().outputs().containsKey(name)) {
      throw new IllegalArgumentException(
          "clip skip must be in [0, %d], got %d; %s has the outputs %s"
              .formatted(
                  layers - 1,
                  skip,
                  encoder.model().component(),
                  encoder.model().outputs().keySet()));
    }
    return name;
  }
}
