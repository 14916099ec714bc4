package io.github.diffusion4j;

/**
 * What becomes of a picture that a model's safety checker flags. Models without a safety checker
 * paint alike under every policy.
 */
public enum SafetyPolicy {
  /** The checker is not opened; pictures are not looked at. */
  OFF,
  /** The picture stays as it is; the result says that it was flagged. */
  REPORT,
  /** The picture is made black, as diffusers does: the default. */
  BLACK,
  /** The picture is blurred beyond recognition. */
  BLUR
}
