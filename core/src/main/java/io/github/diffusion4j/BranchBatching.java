package io.github.diffusion4j;

/** How the branches of guidance go through the denoiser. */
public enum BranchBatching {
  /** All branches in one run: faster. */
  TOGETHER,
  /** One run for each branch: about half the memory. */
  ONE_BY_ONE
}
