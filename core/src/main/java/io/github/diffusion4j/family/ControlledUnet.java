package io.github.diffusion4j.family;

import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtTensor;
import java.util.List;

/**
 * A UNet in a generation, as its controls see it.
 *
 * @param binding of the UNet, not closed by the controls
 * @param rows of its runs
 * @param samples its latents: of all runs, or one for each
 * @param plain whether these have no channels beside the latents
 */
record ControlledUnet(OrtBinding binding, Rows rows, List<OrtTensor> samples, boolean plain) {

  /** Rows of a run that guess mode leaves alone: those of the first branch, the negative one. */
  int silent(int run, boolean guess) {
    int branch = guess && rows.conditioning().branches() > 1 ? rows.conditioning().batch() : 0;
    return Math.max(0, Math.min(rows.each(), branch - run * rows.each()));
  }

  /**
   * How much residuals count in guess mode: scales that grow evenly in their logarithm, from a
   * tenth for the finest to all for the middle block.
   */
  static float grade(int residual, int count) {
    return (float) Math.pow(10, (double) residual / (count - 1) - 1);
  }
}
