package io.github.diffusion4j.family;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerOptions;
import java.io.IOException;
import java.util.List;

/**
 * Words of textual inversion for one of a model's text encoders: tokens after the vocabulary's last
 * and rows after the embedding table's last, in the same order.
 *
 * @param all the words
 * @param encoder which text encoder, from 0
 * @param encoders how many the model has
 */
record TextualInversions(List<TextualInversion> all, int encoder, int encoders) {

  /** No words, for any text encoder. */
  static final TextualInversions NONE = new TextualInversions(List.of(), 0, 1);

  /** Checks that every word has embeddings for this kind of model. */
  TextualInversions {
    for (TextualInversion inversion : all) {
      if (inversion.encoders().size() != encoders) {
        throw new IllegalArgumentException(
            "the embedding %s is for a model of %d text encoders, this model has %d"
                .formatted(inversion.token(), inversion.encoders().size(), encoders));
      }
    }
  }

  /** Opens a tokenizer. */
  interface Opening {
    Tokenizer open(TokenizerOptions options) throws IOException;
  }

  /** Opens the text encoder's tokenizer with the words in it. */
  Tokenizer tokenizer(Opening opening, int limit) throws IOException {
    List<String> tokens = all.stream().flatMap(inversion -> inversion.tokens().stream()).toList();
    TokenizerOptions options = TokenizerOptions.DEFAULTS.withLimit(limit).withAddedTokens(tokens);
    try (Closer open = new Closer()) {
      Tokenizer tokenizer = open.own(opening.open(options));
      Tokenizer known = all.isEmpty() ? tokenizer : new InvertedTokenizer(tokenizer, all);
      open.release();
      return known;
    }
  }

  /** The change of the text encoder's graph; none where there are no words. */
  List<GraphEdit> edits(Tokenizer tokenizer) {
    if (all.isEmpty()) {
      return List.of();
    }
    List<TextualInversion.Vectors> vectors =
        all.stream().map(inversion -> inversion.encoders().get(encoder)).toList();
    int width = vectors.get(0).width();
    float[] rows = new float[vectors.stream().mapToInt(part -> part.values().length()).sum()];
    int at = 0;
    for (TextualInversion.Vectors part : vectors) {
      if (part.width() != width) {
        throw new IllegalArgumentException(
            "embeddings of different widths, %d and %d, are for different models"
                .formatted(width, part.width()));
      }
      System.arraycopy(part.values().toArray(), 0, rows, at, part.values().length());
      at += part.values().length();
    }
    int first = tokenizer.tokenize(all.get(0).token()).get(0).id();
    return List.of(new GraphEdit.MoreEmbeddings("input_ids", first, Floats.of(rows), width));
  }
}
