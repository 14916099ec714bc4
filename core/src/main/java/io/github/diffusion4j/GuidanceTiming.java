package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * When guidance acts, and how strongly. Immutable.
 *
 * @param interval which evaluations are guided
 * @param schedule how the scale changes over them
 */
public record GuidanceTiming(GuidanceInterval interval, GuidanceSchedule schedule) {

  /** All the time with the same scale. */
  public static final GuidanceTiming CONSTANT =
      new GuidanceTiming(GuidanceInterval.ALWAYS, GuidanceSchedule.CONSTANT);

  private static final double CLOSE_TO_ONE = 1e-9;

  /** Checks that nothing is missing. */
  public GuidanceTiming {
    requireNonNull(interval, "interval");
    requireNonNull(schedule, "schedule");
  }

  /**
   * The scale of each evaluation.
   *
   * @param scale guidance scale
   * @param evaluations of the generation
   * @return exactly 1 where the prompt's branch is all that is asked for
   */
  double[] scales(double scale, int evaluations) {
    double[] scales = new double[evaluations];
    for (int i = 0; i < evaluations; i++) {
      double value = interval.holds(i, evaluations) ? scale * schedule.factor(i, evaluations) : 1;
      NamedNumbers.requireFinite("guidance scale of evaluation " + i, value);
      scales[i] = Math.abs(value - 1) <= CLOSE_TO_ONE ? 1 : value;
    }
    return scales;
  }
}
