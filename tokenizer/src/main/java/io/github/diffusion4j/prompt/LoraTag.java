package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

/**
 * A LoRA that a prompt names.
 *
 * @param name its file's name without ending
 * @param scale how strongly the denoiser is changed
 * @param textEncoderScale how strongly text encoders are changed
 */
public record LoraTag(String name, double scale, double textEncoderScale) {
  /** Checks the name and the scales. */
  public LoraTag {
    requireNonNull(name, "name");
    if (!Double.isFinite(scale) || !Double.isFinite(textEncoderScale)) {
      throw new IllegalArgumentException(
          "scales must be finite, got " + scale + " and " + textEncoderScale);
    }
  }
}
