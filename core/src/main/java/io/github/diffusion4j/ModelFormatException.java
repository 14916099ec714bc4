package io.github.diffusion4j;

/**
 * A model's files are not what they should be. The message says which file and part, what was
 * expected, what was found and what would help.
 */
public final class ModelFormatException extends DiffusionException {

  private static final long serialVersionUID = 1L;

  /**
   * An error found by looking at the model.
   *
   * @param message file, part, expected, found, remedy
   */
  public ModelFormatException(String message) {
    super(message, null);
  }

  /**
   * An error that something below reported.
   *
   * @param message file, part, expected, found, remedy
   * @param cause what was thrown below
   */
  public ModelFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
