package io.github.diffusion4j;

import java.util.Arrays;
import java.util.Locale;

/** The language that prompts are written in. */
public enum PromptSyntax {
  /** None: every character is text, as diffusers has it. */
  PLAIN("plain"),
  /**
   * That of the Stable Diffusion web UI: {@code (a)}, {@code [a]}, {@code (a:1.3)}, BREAK, AND,
   * {@code [from:to:when]}, {@code [a|b]}.
   *
   * @see io.github.diffusion4j.prompt.WebUiPrompt
   * @see io.github.diffusion4j.prompt.Emphasis
   */
  WEB_UI("a1111"),
  /**
   * That of the Compel library: {@code cat++}, {@code (red cat)1.3}, {@code .blend()}, {@code
   * .and()}.
   *
   * @see io.github.diffusion4j.prompt.CompelPrompt
   */
  COMPEL("compel");

  private final String label;

  PromptSyntax(String label) {
    this.label = label;
  }

  /**
   * Short name.
   *
   * @return such as {@code a1111}
   */
  public String label() {
    return label;
  }

  /**
   * The syntax of a name.
   *
   * @param label such as {@code a1111}, in any case
   * @return the syntax
   * @throws IllegalArgumentException if there is none of that name
   */
  public static PromptSyntax of(String label) {
    return Arrays.stream(values())
        .filter(syntax -> syntax.label.equals(label.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "prompt syntax must be one of "
                        + Arrays.stream(values()).map(PromptSyntax::label).toList()
                        + ", got \""
                        + label
                        + "\""));
  }
}
