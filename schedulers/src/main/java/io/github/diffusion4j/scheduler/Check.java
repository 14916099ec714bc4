package io.github.diffusion4j.scheduler;

/** Argument checks that name argument, value and range. */
final class Check {

  private Check() {}

  static void atLeast(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s must be at least %d, got %d".formatted(name, least, value));
    }
  }

  static void atMost(String name, int value, int most, String why) {
    if (value > most) {
      throw new IllegalArgumentException(
          "%s must be at most %d (%s), got %d".formatted(name, most, why, value));
    }
  }

  static void positive(String name, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException("%s must be above 0, got %s".formatted(name, value));
    }
  }

  static void between(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          "%s must be from %s to %s, got %s".formatted(name, least, most, value));
    }
  }

  static void finite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          "%s must be a finite number, got %s".formatted(name, value));
    }
  }

  static void length(String name, float[] values, int expected) {
    if (values.length != expected) {
      throw new IllegalArgumentException(
          "%s must hold %d values, got %d".formatted(name, expected, values.length));
    }
  }
}
