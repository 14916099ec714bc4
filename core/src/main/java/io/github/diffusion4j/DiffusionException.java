package io.github.diffusion4j;

/**
 * What can go wrong while a model is loaded or a picture painted. Bad arguments are {@link
 * IllegalArgumentException}, use after close is {@link IllegalStateException}, files that cannot be
 * read or written are {@link java.io.IOException}.
 */
public abstract sealed class DiffusionException extends RuntimeException
    permits ModelFormatException,
        InferenceException,
        GenerationCancelledException,
        PipelineBusyException {

  private static final long serialVersionUID = 1L;

  DiffusionException(String message, Throwable cause) {
    super(message, cause);
  }
}
