package io.github.diffusion4j.family;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.OrtModel;
import java.io.IOException;

/**
 * The layer normalisation at the end of a CLIP text encoder (Ba et al. 2016, arXiv 1607.06450), for
 * hidden states of earlier layers, which the network gives without it. Immutable.
 */
final class FinalNorm {

  private static final String NAME = "final_layer_norm";
  private static final double EPSILON = 1e-5;

  private final float[] weight;
  private final float[] bias;
  private final double epsilon;

  FinalNorm(Floats weight, Floats bias, double epsilon) {
    this.weight = weight.toArray();
    this.bias = bias.toArray();
    this.epsilon = epsilon;
    if (this.weight.length != this.bias.length) {
      throw new ModelFormatException(
          "%s: weight and bias have %d and %d values, expected as many of one as of the other"
              .formatted(NAME, this.weight.length, this.bias.length));
    }
  }

  /**
   * Reads it out of a text encoder's file.
   *
   * @param config the encoder's
   * @throws ModelFormatException if the file has no such weights
   */
  static FinalNorm of(OrtModel encoder, ConfigFile config) throws IOException {
    double epsilon = config.number("layer_norm_eps").orElse(EPSILON);
    return new FinalNorm(weight(encoder, ".weight"), weight(encoder, ".bias"), epsilon);
  }

  private static Floats weight(OrtModel encoder, String part) throws IOException {
    return encoder
        .weightEnding(NAME + part)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    encoder.file()
                        + ": no weight ending in "
                        + NAME
                        + part
                        + ", which clip skip needs; export the text encoder with its weights'"
                        + " names"));
  }

  /** Normalises every token's hidden states. */
  TextFeatures apply(TextFeatures features) {
    int width = features.width();
    if (width != weight.length) {
      throw new ModelFormatException(
          "%s has %d values, but the hidden states are %d wide"
              .formatted(NAME, weight.length, width));
    }
    float[] states = features.hidden().clone();
    for (int from = 0; from < states.length; from += width) {
      normalise(states, from);
    }
    return features.withHidden(states);
  }

  private void normalise(float[] states, int from) {
    int width = weight.length;
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += states[from + i];
    }
    double mean = sum / width;
    double squares = 0;
    for (int i = 0; i < width; i++) {
      double d = states[from + i] - mean;
      squares += d * d;
    }
    double scale = 1 / Math.sqrt(squares / width + epsilon);
    for (int i = 0; i < width; i++) {
      states[from + i] = (float) ((states[from + i] - mean) * scale * weight[i] + bias[i]);
    }
  }
}
