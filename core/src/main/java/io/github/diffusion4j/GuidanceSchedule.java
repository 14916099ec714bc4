package io.github.diffusion4j;

import java.util.List;

/**
 * How strong guidance is at each evaluation: what the guidance scale is multiplied with (Wang et
 * al. 2024, arXiv 2404.13040). Immutable; a user's own is a lambda.
 */
@FunctionalInterface
public interface GuidanceSchedule {

  /** The guidance scale as it is. */
  GuidanceSchedule CONSTANT = new Linear(1, 1);

  /**
   * What the guidance scale is multiplied with.
   *
   * @param evaluation from 0
   * @param evaluations of the generation, at least 1
   * @return finite; where it makes the scale 1, only the prompt's branch is computed
   */
  double factor(int evaluation, int evaluations);

  /**
   * What {@link #of} reads.
   *
   * @return a name with numbers, such as {@code cosine:0.0,2.0}; {@code given} for a user's own
   */
  default String label() {
    return "given";
  }

  /**
   * Reads a schedule: {@code constant}; {@code linear} and {@code cosine}, which rise from 0 to
   * twice the scale, or from and to other factors as in {@code linear:2,0}; or a list of factors as
   * in {@code steps:1,1,0.5}.
   *
   * @param text the schedule
   * @return its value
   * @throws IllegalArgumentException if there is no such schedule
   */
  static GuidanceSchedule of(String text) {
    NamedNumbers parsed = NamedNumbers.parse(text);
    List<Double> numbers = parsed.numbers();
    boolean pair = numbers.size() == 2;
    return switch (parsed.name()) {
      case "constant" -> CONSTANT;
      case "linear" -> pair ? new Linear(numbers.get(0), numbers.get(1)) : rising(text, numbers);
      case "cosine" -> {
        Linear ends = pair ? new Linear(numbers.get(0), numbers.get(1)) : rising(text, numbers);
        yield new Cosine(ends.from, ends.to);
      }
      case "steps" -> new Steps(numbers);
      default ->
          throw new IllegalArgumentException(
              "guidance schedule must be constant, linear, cosine, linear:FROM,TO, cosine:FROM,TO"
                  + " or steps:FACTOR,…, got \""
                  + text
                  + "\"");
    };
  }

  private static Linear rising(String text, List<Double> numbers) {
    if (!numbers.isEmpty()) {
      throw new IllegalArgumentException(
          "guidance schedule takes no numbers, or two as FROM,TO, got \"" + text + "\"");
    }
    return new Linear(0, 2);
  }

  /** From 0 at the first evaluation to 1 at the last one; in the middle if there is only one. */
  private static double progress(int evaluation, int evaluations) {
    return evaluations == 1 ? 0.5 : evaluation / (evaluations - 1.0);
  }

  /**
   * From one factor to another in a straight line.
   *
   * @param from factor of the first evaluation
   * @param to factor of the last one
   */
  record Linear(double from, double to) implements GuidanceSchedule {

    /** Checks that both are numbers. */
    public Linear {
      NamedNumbers.requireFinite("first factor of the guidance scale", from);
      NamedNumbers.requireFinite("last factor of the guidance scale", to);
    }

    @Override
    public double factor(int evaluation, int evaluations) {
      return from + (to - from) * progress(evaluation, evaluations);
    }

    @Override
    public String label() {
      return equals(CONSTANT) ? "constant" : "linear:" + from + "," + to;
    }
  }

  /**
   * From one factor to another along half a cosine wave, slowly at both ends.
   *
   * @param from factor of the first evaluation
   * @param to factor of the last one
   */
  record Cosine(double from, double to) implements GuidanceSchedule {

    /** Checks that both are numbers. */
    public Cosine {
      NamedNumbers.requireFinite("first factor of the guidance scale", from);
      NamedNumbers.requireFinite("last factor of the guidance scale", to);
    }

    @Override
    public double factor(int evaluation, int evaluations) {
      double wave = Math.cos(Math.PI * progress(evaluation, evaluations));
      return to + (from - to) * (1 + wave) / 2;
    }

    @Override
    public String label() {
      return "cosine:" + from + "," + to;
    }
  }

  /**
   * A factor for each evaluation.
   *
   * @param factors one or more; the last one holds on
   */
  record Steps(List<Double> factors) implements GuidanceSchedule {

    /** Copies the list and checks that it holds numbers. */
    public Steps {
      factors = List.copyOf(factors);
      if (factors.isEmpty()) {
        throw new IllegalArgumentException("a guidance schedule needs at least one factor");
      }
      factors.forEach(factor -> NamedNumbers.requireFinite("factor of the guidance scale", factor));
    }

    @Override
    public double factor(int evaluation, int evaluations) {
      return factors.get(Math.min(evaluation, factors.size() - 1));
    }

    @Override
    public String label() {
      return "steps:" + String.join(",", factors.stream().map(String::valueOf).toList());
    }
  }
}
