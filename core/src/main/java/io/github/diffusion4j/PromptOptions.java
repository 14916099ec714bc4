package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * How the text of prompts is understood. T5 text encoders read plain text whatever is said here.
 *
 * @param syntax the language of prompts and negative prompts
 * @param weighting what weights do
 * @param longPrompts what becomes of prompts that are too long
 */
public record PromptOptions(
    PromptSyntax syntax, PromptWeighting weighting, LongPrompts longPrompts) {

  /** Plain text, cut where it is too long: exactly as diffusers. */
  public static final PromptOptions PLAIN =
      new PromptOptions(PromptSyntax.PLAIN, PromptWeighting.RESTORE_MEAN, LongPrompts.TRUNCATE);

  /** Checks that nothing is missing. */
  public PromptOptions {
    requireNonNull(syntax, "syntax");
    requireNonNull(weighting, "weighting");
    requireNonNull(longPrompts, "longPrompts");
  }

  /**
   * Options for a language, with the weighting of the program that it comes from.
   *
   * @param syntax the language
   * @return too long prompts are cut
   */
  public static PromptOptions of(PromptSyntax syntax) {
    return new PromptOptions(
        syntax,
        syntax == PromptSyntax.COMPEL
            ? PromptWeighting.INTERPOLATE_MASKED
            : PromptWeighting.RESTORE_MEAN,
        LongPrompts.TRUNCATE);
  }

  /**
   * With another rule for weights.
   *
   * @param rule the rule
   * @return a copy
   */
  public PromptOptions withWeighting(PromptWeighting rule) {
    return new PromptOptions(syntax, rule, longPrompts);
  }

  /**
   * With another treatment of long prompts.
   *
   * @param treatment the treatment
   * @return a copy
   */
  public PromptOptions withLongPrompts(LongPrompts treatment) {
    return new PromptOptions(syntax, weighting, treatment);
  }
}
