package io.github.diffusion4j;

/**
 * Reuse of a UNet's deep features from step to step, as in DeepCache (Ma, Fang, Wang 2024, arXiv
 * 2312.00858): neighbouring steps have nearly the same ones. Every so many evaluations the whole
 * UNet runs; those between run its first and last layers only, on the features kept from the last
 * whole run. Faster, and another picture: the fewer steps, the more so.
 *
 * <p>What is counted are the evaluations of the UNet within one generation, from 0: a solver that
 * takes two evaluations a step counts both, and an evaluation that guidance skips counts none. All
 * branches of guidance go with one evaluation, also one by one. The first evaluation after a change
 * of what steers the UNet (a prompt edited over the steps, guidance that begins or ends) is a whole
 * one if its prompt or branches have no features since the last evaluation that had to be whole.
 *
 * @param interval every how many evaluations the whole UNet runs, at least 1; 1 is off
 * @param branch how many layers the other evaluations run on the way down beside the first
 *     convolution, and one more on the way up: 0, the fewest, to what the UNet has. For UNets of
 *     two layers a block this is DeepCache's {@code cache_branch_id}
 */
public record FeatureReuse(int interval, int branch) {

  /** Every evaluation runs the whole UNet. */
  public static final FeatureReuse OFF = new FeatureReuse(1, 0);

  /** Checks the ranges. */
  public FeatureReuse {
    if (interval < 1) {
      throw new IllegalArgumentException(
          "interval of the feature reuse must be at least 1 (1 is off), got " + interval);
    }
    if (branch < 0) {
      throw new IllegalArgumentException(
          "branch of the feature reuse must be at least 0, got " + branch);
    }
  }

  /**
   * Reuse with the fewest layers.
   *
   * @param interval every how many evaluations the whole UNet runs, such as 3
   * @return reuse at branch 0
   */
  public static FeatureReuse every(int interval) {
    return new FeatureReuse(interval, 0);
  }

  /**
   * Whether anything is reused.
   *
   * @return false for an interval of 1
   */
  public boolean isOn() {
    return interval > 1;
  }
}
