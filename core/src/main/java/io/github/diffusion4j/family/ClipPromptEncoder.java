package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.PromptEncoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One CLIP text encoder whose last hidden states condition a UNet through {@code
 * encoder_hidden_states}. Each distinct prompt is encoded once, alone, so that its embedding does
 * not depend on its neighbours.
 */
final class ClipPromptEncoder implements PromptEncoder {

  private static final String HIDDEN = "last_hidden_state";

  private final TextEncoder encoder;
  private final long width;

  ClipPromptEncoder(TextEncoder encoder) {
    this.encoder = encoder;
    this.width = encoder.hidden(HIDDEN).dim(2);
  }

  /** Width of the embeddings, -1 where the network does not say. */
  long width() {
    return width;
  }

  @Override
  public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
    List<String> rows = new ArrayList<>();
    if (guidance.branches() > 1) {
      rows.addAll(request.negativePromptOfEachImage());
    }
    rows.addAll(request.promptOfEachImage());
    Map<String, TextFeatures> encoded = new HashMap<>();
    for (String prompt : rows) {
      if (!encoded.containsKey(prompt)) {
        long[] tokens = encoder.tokens(prompt).toLongArray();
        encoded.put(prompt, encoder.encode(tokens, HIDDEN, Optional.empty(), cancel));
      }
    }
    TextFeatures first = encoded.get(rows.get(0));
    int row = first.hidden().length;
    float[] values = new float[Math.multiplyExact(rows.size(), row)];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(encoded.get(rows.get(i)).hidden(), 0, values, i * row, row);
    }
    return new Conditioning(
        guidance.branches(),
        request.images(),
        List.of(
            new Conditioning.Input(
                "encoder_hidden_states", values, List.of(first.tokens(), first.width()))));
  }
}
