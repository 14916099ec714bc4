package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.OptionalDouble;

/**
 * How far and how to follow the prompts. Immutable.
 *
 * @param scale classifier-free guidance, on above 1; empty for the model's own. Where the network
 *     takes its guidance scale as an input (FLUX dev, LCM), that input
 * @param rescale how much of the contrast that strong guidance takes is restored, 0 (off) to 1
 * @param trueScale classifier-free guidance of models whose own guidance scale is an input of the
 *     network (FLUX), on above 1 and with a negative prompt
 */
public record GuidanceOptions(OptionalDouble scale, double rescale, double trueScale) {

  /** The model's own guidance scale and nothing else. */
  public static final GuidanceOptions DEFAULT = new GuidanceOptions(OptionalDouble.empty(), 0, 1);

  /** Checks the ranges. */
  public GuidanceOptions {
    requireNonNull(scale, "scale");
    checkFinite("guidance scale", scale.orElse(0));
    if (!(rescale >= 0 && rescale <= 1)) {
      throw new IllegalArgumentException("guidance rescale must be in [0, 1], got " + rescale);
    }
    checkFinite("true guidance scale", trueScale);
  }

  private static void checkFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " must be a finite number, got " + value);
    }
  }

  /**
   * With another guidance scale.
   *
   * @param value on above 1
   * @return a copy
   */
  public GuidanceOptions withScale(double value) {
    return new GuidanceOptions(OptionalDouble.of(value), rescale, trueScale);
  }

  /**
   * With another rescale.
   *
   * @param factor 0 (off) to 1
   * @return a copy
   */
  public GuidanceOptions withRescale(double factor) {
    return new GuidanceOptions(scale, factor, trueScale);
  }

  /**
   * With another true guidance scale.
   *
   * @param value on above 1
   * @return a copy
   */
  public GuidanceOptions withTrueScale(double value) {
    return new GuidanceOptions(scale, rescale, value);
  }
}
