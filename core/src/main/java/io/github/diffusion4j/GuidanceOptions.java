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
 * @param method how the branches become one prediction
 * @param timing which evaluations are guided, and how strongly
 */
public record GuidanceOptions(
    OptionalDouble scale,
    double rescale,
    double trueScale,
    GuidanceMethod method,
    GuidanceTiming timing) {

  /** The model's own guidance scale and nothing else. */
  public static final GuidanceOptions DEFAULT =
      new GuidanceOptions(
          OptionalDouble.empty(), 0, 1, GuidanceMethod.STANDARD, GuidanceTiming.CONSTANT);

  /** Checks the ranges. */
  public GuidanceOptions {
    requireNonNull(scale, "scale");
    NamedNumbers.requireFinite("guidance scale", scale.orElse(0));
    if (!(rescale >= 0 && rescale <= 1)) {
      throw new IllegalArgumentException("guidance rescale must be in [0, 1], got " + rescale);
    }
    NamedNumbers.requireFinite("true guidance scale", trueScale);
    requireNonNull(method, "method");
    requireNonNull(timing, "timing");
  }

  /**
   * Whether anything is asked for that only guidance by a negative branch can do.
   *
   * @return false for the usual method all the time
   */
  public boolean steersBranches() {
    return !method.equals(GuidanceMethod.STANDARD) || !timing.equals(GuidanceTiming.CONSTANT);
  }

  /**
   * With another guidance scale.
   *
   * @param value on above 1
   * @return a copy
   */
  public GuidanceOptions withScale(double value) {
    return new GuidanceOptions(OptionalDouble.of(value), rescale, trueScale, method, timing);
  }

  /**
   * With another rescale.
   *
   * @param factor 0 (off) to 1
   * @return a copy
   */
  public GuidanceOptions withRescale(double factor) {
    return new GuidanceOptions(scale, factor, trueScale, method, timing);
  }

  /**
   * With another true guidance scale.
   *
   * @param value on above 1
   * @return a copy
   */
  public GuidanceOptions withTrueScale(double value) {
    return new GuidanceOptions(scale, rescale, value, method, timing);
  }

  /**
   * With another method.
   *
   * @param value how the branches become one prediction
   * @return a copy
   */
  public GuidanceOptions withMethod(GuidanceMethod value) {
    return new GuidanceOptions(scale, rescale, trueScale, value, timing);
  }

  /**
   * Guided only in a part of the generation.
   *
   * @param value that part
   * @return a copy
   */
  public GuidanceOptions withInterval(GuidanceInterval value) {
    return withTiming(new GuidanceTiming(value, timing.schedule()));
  }

  /**
   * With a scale that changes.
   *
   * @param value how
   * @return a copy
   */
  public GuidanceOptions withSchedule(GuidanceSchedule value) {
    return withTiming(new GuidanceTiming(timing.interval(), value));
  }

  private GuidanceOptions withTiming(GuidanceTiming value) {
    return new GuidanceOptions(scale, rescale, trueScale, method, value);
  }
}
