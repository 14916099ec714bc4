package io.github.diffusion4j;

/** Makes one prediction of several branches. For one generation and one thread. */
@FunctionalInterface
public interface BranchCombiner {

  /**
   * Combines the outputs of all branches. Allocates nothing.
   *
   * @param outputs branches one after the other, the negative one first; not changed
   * @param scale guidance scale of this evaluation
   * @param dst overwritten with one branch's values; not {@code outputs}
   */
  void combine(float[] outputs, double scale, float[] dst);
}
