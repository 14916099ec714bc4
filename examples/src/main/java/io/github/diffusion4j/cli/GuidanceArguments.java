package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.GuidanceInterval;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceSchedule;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How far and how a picture follows its prompts. */
final class GuidanceArguments {

  @Option(
      names = {"-g", "--guidance"},
      paramLabel = "SCALE",
      description = "Guidance by the prompt, on above 1. Default: the model's.")
  private Double scale;

  @Option(
      names = "--guidance-rescale",
      paramLabel = "0..1",
      description = "Gives back the contrast that strong guidance takes. Default: 0.")
  private Double rescale;

  @Option(
      names = "--guidance-interval",
      paramLabel = "START,END",
      converter = IntervalConverter.class,
      description =
          "Part of the steps that is guided, as fractions; the other steps take half the time."
              + " Default: 0,1.")
  private GuidanceInterval interval;

  @Option(
      names = "--guidance-schedule",
      paramLabel = "SCHEDULE",
      converter = ScheduleConverter.class,
      description =
          "What the scale is multiplied with over the steps: linear or cosine (from 0 to 2), or"
              + " linear:FROM,TO, cosine:FROM,TO, steps:FACTOR,... Default: constant.")
  private GuidanceSchedule schedule;

  @Option(
      names = "--guidance-method",
      paramLabel = "METHOD",
      converter = MethodConverter.class,
      description =
          "standard, apg, cfg-zero, tangential or dynamic-threshold, with numbers as in"
              + " apg:eta=0,norm_threshold=15,momentum=-0.5. Default: standard.")
  private GuidanceMethod method;

  @Option(
      names = "--true-guidance",
      paramLabel = "SCALE",
      description =
          "Guidance by the negative prompt for a model that takes --guidance as an input (FLUX), on"
              + " above 1. Default: 1.")
  private Double trueScale;

  /** Changes what is given here. */
  void change(GenerationRequestBuilder builder) {
    Optional.ofNullable(scale).ifPresent(builder::guidanceScale);
    Optional.ofNullable(rescale).ifPresent(builder::guidanceRescale);
    Optional.ofNullable(interval)
        .ifPresent(part -> builder.guidanceInterval(part.start(), part.stop()));
    Optional.ofNullable(schedule).ifPresent(builder::guidanceSchedule);
    Optional.ofNullable(method).ifPresent(builder::guidanceMethod);
    Optional.ofNullable(trueScale).ifPresent(builder::trueGuidanceScale);
  }

  private static <T> T convert(String text, Function<String, T> read) {
    try {
      return read.apply(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Reads an interval. */
  static final class IntervalConverter implements ITypeConverter<GuidanceInterval> {
    @Override
    public GuidanceInterval convert(String text) {
      return GuidanceArguments.convert(text, GuidanceInterval::of);
    }
  }

  /** Reads a schedule. */
  static final class ScheduleConverter implements ITypeConverter<GuidanceSchedule> {
    @Override
    public GuidanceSchedule convert(String text) {
      return GuidanceArguments.convert(text, GuidanceSchedule::of);
    }
  }

  /** Reads a method. */
  static final class MethodConverter implements ITypeConverter<GuidanceMethod> {
    @Override
    public GuidanceMethod convert(String text) {
      return GuidanceArguments.convert(text, GuidanceMethod::of);
    }
  }
}
