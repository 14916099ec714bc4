package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** One text encoder, CLIP or T5, with its tokenizer. Thread-safe. */
final class TextEncoder {

  private static final System.Logger LOG = System.getLogger(TextEncoder.class.getName());

  private final Tokenizer tokenizer;
  private final OrtModel model;
  private final TensorSpec ids;

  /** Checks that the network takes ids and nothing else. */
  TextEncoder(Tokenizer tokenizer, OrtModel model) {
    this.tokenizer = tokenizer;
    this.model = model;
    this.ids =
        model.require(
            model.input("input_ids"), Set.of(ElementType.INT64, ElementType.INT32), Set.of(2));
    model.requireNoOtherInputs(Set.of(ids.name()));
  }

  /** Checks also that the network takes the tokenizer's own number of ids, as CLIP does. */
  static TextEncoder ofTokenizersLength(Tokenizer tokenizer, OrtModel model) {
    TextEncoder encoder = new TextEncoder(tokenizer, model);
    if (encoder.fixedLength().orElse(tokenizer.maxLength()) != tokenizer.maxLength()) {
      throw new ModelFormatException(
          "%s: input %s takes %d tokens, but the tokenizer gives %d"
              .formatted(
                  model.component(), encoder.ids, encoder.ids.dim(1), tokenizer.maxLength()));
    }
    return encoder;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  OrtModel model() {
    return model;
  }

  /** The only number of ids that the network takes, where it was exported for one. */
  OptionalInt fixedLength() {
    return ids.dim(1) > 0 ? OptionalInt.of((int) ids.dim(1)) : OptionalInt.empty();
  }

  /** An output of hidden states, which must be there: [batch, tokens, width]. */
  TensorSpec hidden(String name) {
    return model.require(
        model.output(name),
        Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16),
        Set.of(3));
  }

  /** An output of one embedding for the whole text, which must be there: [batch, width]. */
  TensorSpec pooled(String name) {
    return model.require(
        model.output(name),
        Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16),
        Set.of(2));
  }

  /** The tokens of a prompt, cut to the tokenizer's length with a warning that says so. */
  TokenIds tokens(String prompt) {
    return tokens(prompt, tokenizer.maxLength());
  }

  /** The tokens of a prompt, cut or padded to a length, with a warning if something is cut. */
  TokenIds tokens(String prompt, int length) {
    TokenIds tokens = tokenizer.encode(prompt, length);
    if (!tokens.cutText().isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "a prompt is longer than the {0} tokens that the text encoder reads; {1} characters at"
              + " its end are not painted",
          length,
          tokens.cutText().length());
    }
    return tokens;
  }

  /**
   * Runs the network on one sequence.
   *
   * @param tokens as many ids as the network takes
   * @param hidden the output of hidden states to take
   * @param pooled the output of the pooled embedding to take
   */
  TextFeatures encode(long[] tokens, String hidden, Optional<String> pooled, CancelToken cancel) {
    Set<String> outputs = new LinkedHashSet<>(Set.of(hidden));
    pooled.ifPresent(outputs::add);
    try (OrtBinding binding = model.bind(cancel)) {
      binding.input(ids.name(), 1, tokens.length).put(tokens);
      Map<String, OrtOutput> values = binding.fetch(outputs);
      OrtOutput states = values.get(hidden);
      return new TextFeatures(
          states.values(),
          states.dim(1),
          states.dim(2),
          pooled.map(name -> values.get(name).values()).orElse(new float[0]));
    }
  }
}
