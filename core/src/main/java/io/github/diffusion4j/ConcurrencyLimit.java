package io.github.diffusion4j;

/**
 * How many generations one pipeline runs at the same time, and how many more may wait for their
 * turn; the next one is refused with a {@link PipelineBusyException}. First come, first served.
 *
 * @param running most at the same time, at least 1
 * @param waiting most that wait, at least 0
 */
public record ConcurrencyLimit(int running, int waiting) {

  /** Every generation runs at once. */
  public static final ConcurrencyLimit NONE =
      new ConcurrencyLimit(Integer.MAX_VALUE, Integer.MAX_VALUE);

  /** Checks the ranges. */
  public ConcurrencyLimit {
    if (running < 1) {
      throw new IllegalArgumentException("running must be at least 1, got " + running);
    }
    if (waiting < 0) {
      throw new IllegalArgumentException("waiting must be at least 0, got " + waiting);
    }
  }
}
