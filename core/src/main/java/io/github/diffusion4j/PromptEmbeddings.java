package io.github.diffusion4j;

import java.util.List;

/**
 * Embeddings computed elsewhere, in place of those of a request's prompts: diffusers' {@code
 * prompt_embeds} and its kin. Rows of the negative prompts come from here too when guidance wants
 * them.
 *
 * @param prompt rows for the prompts, one for all or one for each prompt
 * @param negative rows for the negative prompts; none: the request's negative prompts are encoded
 */
public record PromptEmbeddings(List<Rows> prompt, List<Rows> negative) {

  /**
   * Rows of one of the denoiser's inputs.
   *
   * @param input name of the input, such as {@code encoder_hidden_states} or {@code text_embeds}
   * @param values rows one after the other
   * @param shape dimensions of one row, such as tokens and width
   */
  public record Rows(String input, Floats values, List<Integer> shape) {
    /** Checks that the rows are whole. */
    public Rows {
      shape = List.copyOf(shape);
      int row = shape.stream().reduce(1, Math::multiplyExact);
      if (row < 1 || values.length() == 0 || values.length() % row != 0) {
        throw new IllegalArgumentException(
            "%s: values must be whole rows of %s, got %d values"
                .formatted(input, shape, values.length()));
      }
    }

    /**
     * Number of rows.
     *
     * @return at least 1
     */
    public int count() {
      return values.length() / shape.stream().reduce(1, Math::multiplyExact);
    }
  }

  /** Copies the lists. */
  public PromptEmbeddings {
    prompt = List.copyOf(prompt);
    negative = List.copyOf(negative);
    if (prompt.isEmpty()) {
      throw new IllegalArgumentException("prompt must have the rows of an input or more");
    }
  }

  /**
   * Token embeddings for Stable Diffusion 1 or 2.
   *
   * @param values of the prompts, [rows, tokens, width]
   * @param negative of the negative prompts, likewise; of no length: they are encoded
   * @param tokens of one row
   * @param width of one token's embedding
   * @return the embeddings
   */
  public static PromptEmbeddings of(float[] values, float[] negative, int tokens, int width) {
    return new PromptEmbeddings(
        rows(values, tokens, width),
        negative.length == 0 ? List.of() : rows(negative, tokens, width));
  }

  private static List<Rows> rows(float[] values, int tokens, int width) {
    return List.of(new Rows("encoder_hidden_states", Floats.of(values), List.of(tokens, width)));
  }
}
