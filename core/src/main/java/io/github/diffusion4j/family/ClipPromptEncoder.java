package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One CLIP text encoder whose last hidden states condition a UNet through {@code
 * encoder_hidden_states}. Each distinct prompt is encoded once, alone, so that its embedding does
 * not depend on its neighbours.
 */
final class ClipPromptEncoder implements PromptEncoder {

  private static final System.Logger LOG = System.getLogger(ClipPromptEncoder.class.getName());

  private final Tokenizer tokenizer;
  private final OrtModel encoder;
  private final TensorSpec ids;
  private final TensorSpec hidden;

  ClipPromptEncoder(Tokenizer tokenizer, OrtModel encoder) {
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.ids =
        encoder.require(
            encoder.input("input_ids"), Set.of(ElementType.INT64, ElementType.INT32), Set.of(2));
    this.hidden =
        encoder.require(
            encoder.output("last_hidden_state"),
            Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16),
            Set.of(3));
    encoder.requireNoOtherInputs(Set.of(ids.name()));
    if (ids.dim(1) > 0 && ids.dim(1) != tokenizer.maxLength()) {
      throw new ModelFormatException(
          "%s: input %s takes %d tokens, but the tokenizer gives %d"
              .formatted(encoder.component(), ids, ids.dim(1), tokenizer.maxLength()));
    }
  }

  /** Width of the embeddings, -1 where the network does not say. */
  long width() {
    return hidden.dim(2);
  }

  @Override
  public Conditioning encode(GenerationRequest request, Guidance guidance, CancelToken cancel) {
    List<String> rows = new ArrayList<>();
    if (guidance.branches() > 1) {
      rows.addAll(request.negativePromptOfEachImage());
    }
    rows.addAll(request.promptOfEachImage());
    Map<String, OrtOutput> encoded = new HashMap<>();
    for (String prompt : rows) {
      if (!encoded.containsKey(prompt)) {
        encoded.put(prompt, encode(prompt, cancel));
      }
    }
    OrtOutput first = encoded.get(rows.get(0));
    int row = first.values().length;
    float[] values = new float[Math.multiplyExact(rows.size(), row)];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(encoded.get(rows.get(i)).values(), 0, values, i * row, row);
    }
    return new Conditioning(
        guidance.branches(),
        request.images(),
        List.of(
            new Conditioning.Input(
                "encoder_hidden_states", values, List.of(first.dim(1), first.dim(2)))));
  }

  private OrtOutput encode(String prompt, CancelToken cancel) {
    TokenIds tokens = tokenizer.encode(prompt);
    if (!tokens.cutText().isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "a prompt is longer than the {0} tokens that the text encoder reads; {1} characters at"
              + " its end are not painted",
          tokenizer.maxLength(),
          tokens.cutText().length());
    }
    try (OrtBinding binding = encoder.bind(cancel)) {
      binding.input(ids.name(), 1, tokenizer.maxLength()).put(tokens.toLongArray());
      return binding.fetch(Set.of(hidden.name())).get(hidden.name());
    }
  }
}
