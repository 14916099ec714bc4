package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;

/**
 * A LoRA to paint with: small changes of a model's weights (Hu et al. 2021, arXiv 2106.09685).
 * Given to a request, or to a model when it is loaded.
 *
 * @param file a safetensors file as kohya's scripts, diffusers or peft write it
 * @param scale how strongly the denoiser is changed: 1 as it was trained, 0 not at all; may be
 *     negative
 * @param textEncoderScale how strongly the text encoders are changed
 */
public record Lora(Path file, double scale, double textEncoderScale) {

  /** Checks the scales. */
  public Lora {
    requireNonNull(file, "file");
    NamedNumbers.requireFinite("scale", scale);
    NamedNumbers.requireFinite("textEncoderScale", textEncoderScale);
  }

  /**
   * A LoRA as it was trained.
   *
   * @param file a safetensors file
   * @return of scale 1
   */
  public static Lora of(Path file) {
    return of(file, 1);
  }

  /**
   * A LoRA of one scale for denoiser and text encoders.
   *
   * @param file a safetensors file
   * @param scale for both
   * @return the LoRA
   */
  public static Lora of(Path file, double scale) {
    return new Lora(file, scale, scale);
  }
}
