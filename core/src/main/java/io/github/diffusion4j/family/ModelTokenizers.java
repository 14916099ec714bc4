package io.github.diffusion4j.family;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.io.IOException;

/** Opens a model's tokenizers without its networks. */
public final class ModelTokenizers {

  private ModelTokenizers() {}

  /**
   * The tokenizer of a model's first CLIP text encoder, with the layout's learned words.
   *
   * @param layout the model's folder
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if the model has no such tokenizer
   */
  public static Tokenizer clip(ModelLayout layout) throws IOException {
    boolean first = layout.files().hasTokenizer("tokenizer");
    boolean second = layout.files().hasTokenizer("tokenizer_2");
    boolean secondIsClip =
        second && layout.config("text_encoder_2").text("model_type").orElse("").contains("clip");
    if (!first && !secondIsClip) {
      throw new ModelFormatException(
          layout.folder() + ": expected a tokenizer folder of a CLIP text encoder, found none");
    }
    int encoders = first && secondIsClip ? 2 : 1;
    return Components.tokenizer(
        layout, first ? "" : "_2", new TextualInversions(layout.inversions(), 0, encoders));
  }
}
