package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.config.ConfigFile;
import java.util.Optional;

/** A CLIP text encoder of which a layer before the last is read. Thread-safe. */
final class ClipLayers {

  private static final String LAYER = "hidden_states.";

  private final TextEncoder encoder;
  private final Optional<String> pooled;
  private final int layers;

  /**
   * Checks that the network gives the hidden states of the layer before the last.
   *
   * @param pooled the output that embeds the whole text, where it is wanted
   */
  ClipLayers(TextEncoder encoder, ConfigFile config, Optional<String> pooled) {
    this.encoder = encoder;
    this.pooled = pooled;
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
    pooled.ifPresent(encoder::pooled);
  }

  private ClipLayers(ClipLayers other, TextEncoder encoder) {
    this.encoder = encoder;
    pooled = other.pooled;
    layers = other.layers;
  }

  /** This encoder changed by LoRAs. */
  ClipLayers with(LoraSet loras) {
    return new ClipLayers(this, encoder.with(loras));
  }

  /** What the text encoder is in its model. */
  String component() {
    return encoder.model().component();
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

  /** Width of the embedding of the whole text, -1 where the network does not say, 0 for none. */
  long pooledWidth() {
    return pooled.map(name -> encoder.pooled(name).dim(1)).orElse(0L);
  }

  /**
   * Embeds texts of one generation. Clip skip holds for the prompts, in the web UI's language for
   * the negative prompts too.
   *
   * @param negative whether the texts are negative prompts
   */
  PromptEmbedder embedder(GenerationRequest request, boolean negative, CancelToken cancel) {
    boolean skips = !negative || request.text().prompt().syntax() == PromptSyntax.WEB_UI;
    int skip = skips ? request.text().clipSkip().orElse(0) : 0;
    TextEncoder.Outputs outputs = new TextEncoder.Outputs(layer(skip), pooled);
    return new PromptEmbedder(
        encoder.tokenizer(),
        request.text().prompt(),
        (ids, unseen) -> encoder.encode(ids, unseen, outputs, cancel));
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
