package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LoraSet;
import java.util.Optional;

/**
 * A T5 text encoder and how many tokens it reads. Thread-safe.
 *
 * @param encoder the network with its tokenizer
 * @param usual tokens where the request does not say, 1 to 512
 */
record T5Sequence(TextEncoder encoder, int usual) {

  /** Longest sequence that T5 text encoders of diffusion models are given. */
  static final int LONGEST = 512;

  private static final String HIDDEN = "last_hidden_state";

  /** This encoder changed by LoRAs. */
  T5Sequence with(LoraSet loras) {
    return new T5Sequence(encoder.with(loras), usual);
  }

  /** Width of a token's embedding, -1 where the network does not say. */
  long width() {
    return encoder.hidden(HIDDEN).dim(2);
  }

  /** Encodes a text. */
  TextFeatures encode(String text, GenerationRequest request, CancelToken cancel) {
    int fixed = encoder.fixedLength().orElse(0);
    int length = length(request, fixed > 0 ? fixed : usual);
    if (fixed > 0 && length != fixed) {
      throw new IllegalArgumentException(
          "max sequence length must be %d, for which %s was exported, got %d"
              .formatted(fixed, encoder.model().component(), length));
    }
    return encoder.encode(
        encoder.tokens(text, length).toLongArray(), HIDDEN, Optional.empty(), cancel);
  }

  /** The length that a request asks for. */
  static int length(GenerationRequest request, int usual) {
    int length = request.text().maxSequenceLength().orElse(usual);
    if (length > LONGEST) {
      throw new IllegalArgumentException(
          "max sequence length must be in [1, %d], got %d".formatted(LONGEST, length));
    }
    return length;
  }
}
