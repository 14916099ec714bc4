package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.config.ConfigFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One CLIP text encoder whose last hidden states condition a UNet through {@code
 * encoder_hidden_states}. Each distinct prompt is encoded once, alone, so that its embedding does
 * not depend on its neighbours.
 */
final class ClipPromptEncoder implements PromptEncoder {

  private static final String LAST = "last_hidden_state";
  private static final String LAYER = "hidden_states.";

  private final TextEncoder encoder;
  private final long width;
  private final int layers;
  private final Optional<FinalNorm> norm;

  /**
   * Takes the encoder's last hidden states, and its earlier ones where it gives them.
   *
   * @param config the encoder's
   * @throws IOException if the norm that earlier ones need cannot be read
   */
  ClipPromptEncoder(TextEncoder encoder, ConfigFile config) throws IOException {
    this.encoder = encoder;
    this.width = encoder.hidden(LAST).dim(2);
    int last = 0;
    while (encoder.model().outputs().containsKey(LAYER + (last + 1))) {
      last++;
    }
    this.layers = last;
    this.norm = last == 0 ? Optional.empty() : Optional.of(FinalNorm.of(encoder.model(), config));
  }

  private ClipPromptEncoder(ClipPromptEncoder other, TextEncoder encoder) {
    this.encoder = encoder;
    width = other.width;
    layers = other.layers;
    norm = other.norm;
  }

  @Override
  public PromptEncoder with(LoraSet loras) {
    loras.requireOnlyEncoders(Set.of(encoder.model().component()));
    return new ClipPromptEncoder(this, encoder.with(loras));
  }

  /** Width of the embeddings, -1 where the network does not say. */
  long width() {
    return width;
  }

  @Override
  public boolean reads(PromptOptions options) {
    return true;
  }

  @Override
  public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
    int clipSkip = request.text().clipSkip().orElse(0);
    boolean skipsInAll = request.text().prompt().syntax() == PromptSyntax.WEB_UI;
    List<TextFeatures> rows = new ArrayList<>();
    PromptEmbedder negative = embedder(request, skipsInAll ? clipSkip : 0, cancel);
    if (guidance.branches() > 1) {
      List<String> prompts = request.negativePromptOfEachImage();
      Map<String, TextFeatures> embedded = negative.embed(prompts);
      prompts.forEach(prompt -> rows.add(embedded.get(prompt)));
    }
    int negatives = rows.size();
    PromptEmbedder positive = embedder(request, clipSkip, cancel);
    List<String> prompts = request.promptOfEachImage();
    Map<String, TextFeatures> embedded = positive.embed(prompts);
    prompts.forEach(prompt -> rows.add(embedded.get(prompt)));
    int tokens = rows.stream().mapToInt(TextFeatures::tokens).max().orElseThrow();
    for (int i = 0; i < rows.size(); i++) {
      rows.set(i, (i < negatives ? negative : positive).pad(rows.get(i), tokens));
    }
    return new Conditioning(guidance.branches(), request.images(), List.of(input(rows)));
  }

  private static Conditioning.Input input(List<TextFeatures> rows) {
    TextFeatures first = rows.get(0);
    int row = first.hidden().length;
    float[] values = new float[Math.multiplyExact(rows.size(), row)];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(rows.get(i).hidden(), 0, values, i * row, row);
    }
    return new Conditioning.Input(
        "encoder_hidden_states", values, List.of(first.tokens(), first.width()));
  }

  private PromptEmbedder embedder(GenerationRequest request, int clipSkip, CancelToken cancel) {
    return new PromptEmbedder(
        encoder.tokenizer(), request.text().prompt(), network(clipSkip, cancel));
  }

  private PromptEmbedder.Network network(int clipSkip, CancelToken cancel) {
    if (clipSkip == 0) {
      return (ids, hidden) -> encoder.encode(ids, hidden, TextEncoder.Outputs.hidden(LAST), cancel);
    }
    if (norm.isEmpty()) {
      throw new IllegalArgumentException(
          "clip skip "
              + clipSkip
              + " needs the hidden states of every layer, but "
              + encoder.model().file()
              + " has only the outputs "
              + encoder.model().outputs().keySet()
              + "; export the model with output_hidden_states set in the text encoder's"
              + " config.json");
    }
    if (clipSkip > layers) {
      throw new IllegalArgumentException(
          "clip skip must be 0 to %d, the text encoder's layers, got %d"
              .formatted(layers, clipSkip));
    }
    TextEncoder.Outputs layer = TextEncoder.Outputs.hidden(LAYER + (layers - clipSkip));
    return (ids, hidden) -> norm.get().apply(encoder.encode(ids, hidden, layer, cancel));
  }
}
