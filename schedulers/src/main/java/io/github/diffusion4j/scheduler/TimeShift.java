package io.github.diffusion4j.scheduler;

import java.util.OptionalDouble;

/** How a flow matching schedule is bent towards noise, sigma from 0 to 1. */
public enum TimeShift implements ConfigName {
  /** The shift is the exponential of mu. */
  EXPONENTIAL("exponential") {
    @Override
    double factor(double mu) {
      return Math.exp(mu);
    }
  },
  /** The shift is mu itself. */
  LINEAR("linear") {
    @Override
    double factor(double mu) {
      return mu;
    }
  };

  private final String configName;

  TimeShift(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** What noise over signal is multiplied with. */
  abstract double factor(double mu);

  /** The sigma whose ratio to 1 - sigma is {@code factor} times as great. */
  static double shifted(double sigma, double factor) {
    return factor * sigma / (1 + (factor - 1) * sigma);
  }

  /** Stretches falling sigmas away from 1 so that the last one is {@code terminal}, in place. */
  static void stretch(double[] sigmas, OptionalDouble terminal) {
    if (terminal.isEmpty() || terminal.getAsDouble() == 0) {
      return;
    }
    double scale = (1 - sigmas[sigmas.length - 1]) / (1 - terminal.getAsDouble());
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = 1 - (1 - sigmas[i]) / scale;
    }
  }
}
