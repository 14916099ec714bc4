package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a request's prompts are read, beyond the prompts themselves.
 *
 * @param clipSkip layers of CLIP text encoders to leave out at the end, at least 0; empty: the
 *     model's own. For the prompts alone, as in diffusers; in the web UI's language for the
 *     negative prompts too, as there
 * @param maxSequenceLength tokens that a T5 text encoder reads; empty: the family's own
 * @param prompts2 for the second text encoder: none (the same as the first), one for all, or one
 *     for each prompt
 * @param negativePrompts2 likewise, negative
 * @param prompts3 for the third text encoder
 * @param negativePrompts3 likewise, negative
 * @param prompt the prompts' language, and what becomes of long ones
 * @param embeddings in place of the prompts' own; empty: the prompts are encoded
 */
public record TextOptions(
    OptionalInt clipSkip,
    OptionalInt maxSequenceLength,
    List<String> prompts2,
    List<String> negativePrompts2,
    List<String> prompts3,
    List<String> negativePrompts3,
    PromptOptions prompt,
    Optional<PromptEmbeddings> embeddings) {

  /** Everything as the model has it. */
  public static final TextOptions DEFAULT =
      new TextOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          PromptOptions.PLAIN,
          Optional.empty());

  /** Checks the ranges and copies the lists. */
  public TextOptions {
    if (clipSkip.orElse(0) < 0) {
      throw new IllegalArgumentException("clip skip must be at least 0, got " + clipSkip);
    }
    if (maxSequenceLength.orElse(1) < 1) {
      throw new IllegalArgumentException(
          "max sequence length must be at least 1, got " + maxSequenceLength);
    }
    prompts2 = List.copyOf(prompts2);
    negativePrompts2 = List.copyOf(negativePrompts2);
    prompts3 = List.copyOf(prompts3);
    negativePrompts3 = List.copyOf(negativePrompts3);
    requireNonNull(prompt, "prompt");
    requireNonNull(embeddings, "embeddings");
  }

  /**
   * With another clip skip.
   *
   * @param layers at least 0
   * @return a copy
   */
  public TextOptions withClipSkip(int layers) {
    return new TextOptions(
        OptionalInt.of(layers),
        maxSequenceLength,
        prompts2,
        negativePrompts2,
        prompts3,
        negativePrompts3,
        prompt,
        embeddings);
  }

  /**
   * With another T5 length.
   *
   * @param tokens at least 1
   * @return a copy
   */
  public TextOptions withMaxSequenceLength(int tokens) {
    return new TextOptions(
        clipSkip,
        OptionalInt.of(tokens),
        prompts2,
        negativePrompts2,
        prompts3,
        negativePrompts3,
        prompt,
        embeddings);
  }

  /**
   * With texts for the second text encoder.
   *
   * @param positive none, one, or one for each prompt
   * @param negative none, one, or one for each prompt
   * @return a copy
   */
  public TextOptions withPrompts2(List<String> positive, List<String> negative) {
    return new TextOptions(
        clipSkip,
        maxSequenceLength,
        positive,
        negative,
        prompts3,
        negativePrompts3,
        prompt,
        embeddings);
  }

  /**
   * With texts for the third text encoder.
   *
   * @param positive none, one, or one for each prompt
   * @param negative none, one, or one for each prompt
   * @return a copy
   */
  public TextOptions withPrompts3(List<String> positive, List<String> negative) {
    return new TextOptions(
        clipSkip,
        maxSequenceLength,
        prompts2,
        negativePrompts2,
        positive,
        negative,
        prompt,
        embeddings);
  }

  /**
   * With another reading of the prompts.
   *
   * @param options language, weights and long prompts
   * @return a copy
   */
  public TextOptions withPrompt(PromptOptions options) {
    return new TextOptions(
        clipSkip,
        maxSequenceLength,
        prompts2,
        negativePrompts2,
        prompts3,
        negativePrompts3,
        options,
        embeddings);
  }

  /**
   * With embeddings in place of what the prompts would give.
   *
   * @param given rows for the denoiser
   * @return a copy
   */
  public TextOptions withEmbeddings(PromptEmbeddings given) {
    return new TextOptions(
        clipSkip,
        maxSequenceLength,
        prompts2,
        negativePrompts2,
        prompts3,
        negativePrompts3,
        prompt,
        Optional.of(given));
  }
}
