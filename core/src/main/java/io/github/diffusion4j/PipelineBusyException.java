package io.github.diffusion4j;

/**
 * A generation was refused, for as many run and wait as the pipeline's {@link ConcurrencyLimit}
 * allows. Nothing was computed; the same request may be made again later.
 */
public final class PipelineBusyException extends DiffusionException {

  private static final long serialVersionUID = 1L;

  /**
   * A refusal.
   *
   * @param limit what was reached
   */
  public PipelineBusyException(ConcurrencyLimit limit) {
    super(
        "the pipeline is busy: %d generations run and %d wait, as many as its limit allows; try again later or raise the limit"
            .formatted(limit.running(), limit.waiting()),
        null);
  }
}
