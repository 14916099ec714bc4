package io.github.diffusion4j.scheduler;

import java.util.Optional;

/** The range that noise levels are spread over, and the training steps in it where there are. */
final class SigmaRange {

  private final Optional<NoiseSchedule> table;
  private final double max;
  private final double min;

  private SigmaRange(Optional<NoiseSchedule> table, double max, double min) {
    this.table = table;
    this.max = max;
    this.min = min;
  }

  static SigmaRange of(NoiseSchedule table, double max, double min) {
    return new SigmaRange(Optional.of(table), max, min);
  }

  /** Of a model that has no training steps. */
  static SigmaRange of(double max, double min) {
    return new SigmaRange(Optional.empty(), max, min);
  }

  NoiseSchedule table() {
    return table.orElseThrow();
  }

  double max() {
    return max;
  }

  double min() {
    return min;
  }

  double timestepOfMax() {
    return table().timestepOf(max);
  }

  double timestepOfMin() {
    return table().timestepOf(min);
  }
}
