package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * Whether generations that run at the same time on one pipeline share runs of the denoiser: one run
 * with the rows of several is faster than one after the other where a processor is not filled by
 * one, and costs memory for each row. Rows do not mix: a picture is the same but for the rounding
 * of kernels that depends on the number of rows.
 *
 * @param maxRows most rows of a shared run, a row being one picture's one guidance branch; less
 *     than 2 shares none. A generation that has more rows by itself runs alone
 * @param maxWait longest that a run waits for generations that ran lately and have not yet asked
 *     again; at least 0, at most {@link #LONGEST_WAIT}
 */
public record GenerationBatching(int maxRows, Duration maxWait) {

  /** Longest wait that can be asked for. */
  public static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  /** No generation shares a run. */
  public static final GenerationBatching OFF = new GenerationBatching(0, Duration.ZERO);

  /** Checks the ranges. */
  public GenerationBatching {
    if (maxRows < 0) {
      throw new IllegalArgumentException("maxRows must be at least 0, got " + maxRows);
    }
    if (requireNonNull(maxWait, "maxWait").isNegative() || maxWait.compareTo(LONGEST_WAIT) > 0) {
      throw new IllegalArgumentException(
          "maxWait must be 0 to %s, got %s".formatted(LONGEST_WAIT, maxWait));
    }
  }

  /**
   * Whether any runs are shared.
   *
   * @return true if a run may have more than one row
   */
  public boolean isOn() {
    return maxRows > 1;
  }
}
