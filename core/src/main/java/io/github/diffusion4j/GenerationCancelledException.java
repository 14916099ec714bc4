package io.github.diffusion4j;

/** A generation was cancelled by its {@link CancelToken} or by interrupting its thread. */
public final class GenerationCancelledException extends DiffusionException {

  private static final long serialVersionUID = 1L;

  /**
   * A cancelled generation.
   *
   * @param message how it was cancelled
   */
  public GenerationCancelledException(String message) {
    super(message, null);
  }
}
