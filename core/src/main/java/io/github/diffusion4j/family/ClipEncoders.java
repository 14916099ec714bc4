package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LoraSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * CLIP text encoders that read texts of their own, whose embeddings stand side by side.
 *
 * @param encoders in the order of the texts
 */
record ClipEncoders(List<ClipLayers> encoders) {

  ClipEncoders {
    encoders = List.copyOf(encoders);
  }

  /** What the encoders are in their model. */
  Set<String> components() {
    return encoders.stream().map(ClipLayers::component).collect(Collectors.toSet());
  }

  /** These encoders changed by LoRAs. */
  ClipEncoders with(LoraSet loras) {
    return new ClipEncoders(encoders.stream().map(encoder -> encoder.with(loras)).toList());
  }

  /** Width of a token's embedding, -1 where a network does not say. */
  long width() {
    return Components.sum(encoders.stream().mapToLong(ClipLayers::width).toArray());
  }

  /** Width of the embedding of the whole text, -1 where a network does not say. */
  long pooledWidth() {
    return Components.sum(encoders.stream().mapToLong(ClipLayers::pooledWidth).toArray());
  }

  /** Embeds each different row; all get as many tokens as the longest. */
  Map<TextRow, TextFeatures> embed(
      List<TextRow> rows, GenerationRequest request, CancelToken cancel) {
    List<PromptEmbedder> positive = embedders(request, false, cancel);
    List<PromptEmbedder> negative = embedders(request, true, cancel);
    Map<TextRow, List<TextFeatures>> parts = new LinkedHashMap<>();
    int tokens = 0;
    for (TextRow row : new LinkedHashSet<>(rows)) {
      List<TextFeatures> own = new ArrayList<>();
      for (int i = 0; i < encoders.size(); i++) {
        PromptEmbedder embedder = (row.negative() ? negative : positive).get(i);
        own.add(embedder.embed(row.text(i)));
        tokens = Math.max(tokens, own.get(i).tokens());
      }
      parts.put(row, own);
    }
    Map<TextRow, TextFeatures> joined = new LinkedHashMap<>();
    for (Map.Entry<TextRow, List<TextFeatures>> part : parts.entrySet()) {
      List<PromptEmbedder> embedders = part.getKey().negative() ? negative : positive;
      TextFeatures all = embedders.get(0).pad(part.getValue().get(0), tokens);
      for (int i = 1; i < encoders.size(); i++) {
        all = all.beside(embedders.get(i).pad(part.getValue().get(i), tokens));
      }
      joined.put(part.getKey(), all);
    }
    return joined;
  }

  private List<PromptEmbedder> embedders(
      GenerationRequest request, boolean negative, CancelToken cancel) {
    return encoders.stream().map(encoder -> encoder.embedder(request, negative, cancel)).toList();
  }
}
