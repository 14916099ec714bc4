package io.github.diffusion4j;

import java.util.Arrays;
import java.util.List;

/**
 * The guidance of one generation: the place in it, and what the method remembers of earlier
 * evaluations. Not thread-safe.
 */
public final class GuidanceRun {

  private final int[] branches; // of each evaluation
  private final double[] scales; // of each evaluation
  private final BranchCombiner combiner;
  private final int total;
  private int evaluation;

  GuidanceRun(List<Integer> branches, double[] scales, LatentShape shape, BranchCombiner combiner) {
    this.branches = branches.stream().mapToInt(Integer::intValue).toArray();
    this.scales = scales;
    this.total = shape.total();
    this.combiner = combiner;
  }

  /**
   * Makes one prediction of an evaluation's branches, and advances. Allocates nothing.
   *
   * @param outputs the branches that {@link Guidance#branches(int)} says for this evaluation, one
   *     after the other; not changed
   * @param dst overwritten with one branch's values; may be {@code outputs} only where guidance
   *     never has more than one branch
   */
  public void combine(float[] outputs, float[] dst) {
    int at = evaluation++;
    if (branches[at] == 0) {
      Arrays.fill(dst, 0, total, 0);
    } else if (branches[at] > 1) {
      combiner.combine(outputs, scales[at], dst);
    } else if (dst != outputs) {
      System.arraycopy(outputs, 0, dst, 0, total);
    }
  }
}
