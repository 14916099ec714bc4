package io.github.diffusion4j.prompt;

/** A prompt does not follow its language. The message says what, where, and how to mend it. */
public final class PromptSyntaxException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** First character at fault. */
  private final int position;

  PromptSyntaxException(int position, String problem) {
    super("prompt, character " + (position + 1) + ": " + problem);
    this.position = position;
  }

  /**
   * Where in the prompt.
   *
   * @return UTF-16 index of the first character at fault, from 0
   */
  public int position() {
    return position;
  }
}
