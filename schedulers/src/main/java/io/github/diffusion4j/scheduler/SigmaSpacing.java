package io.github.diffusion4j.scheduler;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * How the noise levels of a schedule are spaced: any solver that works on sigmas takes any of
 * these. The first six are diffusers', the others are known from other programs.
 */
public enum SigmaSpacing implements ConfigName {
  /** At the chosen training steps. */
  TRAINED("none") {
    @Override
    double[] between(SigmaRange range, int count) {
      return atTimesteps(
          range, Spacing.linspace(range.timestepOfMax(), range.timestepOfMin(), count));
    }
  },
  /** Evenly in the seventh root (Karras et al. 2022, equation 5). */
  KARRAS("karras") {
    @Override
    double[] between(SigmaRange range, int count) {
      return ramp(
          Math.pow(range.max(), 1 / 7.0),
          Math.pow(range.min(), 1 / 7.0),
          count,
          root -> Math.pow(root, 7));
    }
  },
  /** Evenly in the logarithm. */
  EXPONENTIAL("exponential") {
    @Override
    double[] between(SigmaRange range, int count) {
      double[] sigmas = Spacing.linspace(Math.log(range.max()), Math.log(range.min()), count);
      return map(sigmas, Math::exp);
    }
  },
  /** By the quantiles of a beta distribution (Lee et al. 2024): dense at both ends. */
  BETA("beta") {
    @Override
    double[] between(SigmaRange range, int count) {
      double[] sigmas = map(Spacing.linspace(0, 1, count), p -> 1 - p);
      return map(
          sigmas,
          p -> range.min() + BetaDistribution.quantile(p, 0.6, 0.6) * (range.max() - range.min()));
    }
  },
  /** Evenly in the logarithm of the signal to noise ratio over all of training (Lu et al. 2022). */
  LU("lu") {
    @Override
    double[] between(SigmaRange range, int count) {
      NoiseSchedule table = range.table();
      return ramp(table.lastLogSigma(), table.firstLogSigma(), count, Math::exp);
    }
  },
  /** At evenly spaced timesteps, leaving the last one out (Stability AI's own sampler). */
  SGM_UNIFORM("sgm_uniform") {
    @Override
    double[] between(SigmaRange range, int count) {
      double[] timesteps =
          Spacing.linspace(range.timestepOfMax(), range.timestepOfMin(), count + 1);
      return atTimesteps(range, Arrays.copyOf(timesteps, count));
    }
  },
  /** At every k-th training step from the last one down. */
  SIMPLE("simple") {
    @Override
    double[] between(SigmaRange range, int count) {
      int steps = range.table().trainSteps();
      double[] sigmas = new double[count];
      for (int i = 0; i < count; i++) {
        sigmas[i] = range.table().sigma(steps - 1 - (int) ((long) i * steps / count));
      }
      return sigmas;
    }
  },
  /** At every k-th training step from the second one up. */
  DDIM_UNIFORM("ddim_uniform") {
    @Override
    double[] between(SigmaRange range, int count) {
      int steps = range.table().trainSteps();
      int stride = Math.max(steps / count, 1);
      double[] sigmas = new double[count];
      for (int i = 0; i < count; i++) {
        sigmas[count - 1 - i] = range.table().sigma(Math.min(1 + i * stride, steps - 1));
      }
      return sigmas;
    }
  },
  /**
   * Evenly in the arc tangent, which minimises the Kullback-Leibler divergence (Sabour et al.
   * 2024).
   */
  KL_OPTIMAL("kl_optimal") {
    @Override
    double[] between(SigmaRange range, int count) {
      return map(
          Spacing.linspace(Math.atan(range.max()), Math.atan(range.min()), count), Math::tan);
    }
  },
  /** Align Your Steps (Sabour et al. 2024), optimised for Stable Diffusion 1. */
  AYS_SD1("ays_sd1") {
    @Override
    double[] between(SigmaRange range, int count) {
      return logInterpolated(
          count, 14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029);
    }
  },
  /** Align Your Steps, optimised for Stable Diffusion XL. */
  AYS_SDXL("ays_sdxl") {
    @Override
    double[] between(SigmaRange range, int count) {
      return logInterpolated(
          count, 14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029);
    }
  },
  /** Align Your Steps, optimised for Stable Video Diffusion. */
  AYS_SVD("ays_svd") {
    @Override
    double[] between(SigmaRange range, int count) {
      return logInterpolated(
          count, 700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002);
    }
  },
  /** By the curvature of the sampling trajectory (Chen et al. 2024), for Stable Diffusion 1. */
  GITS("gits") {
    @Override
    double[] between(SigmaRange range, int count) {
      return GitsLevels.of(count);
    }
  };

  private final String configName;

  SigmaSpacing(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** The noise levels, falling, without the last one where the sample is clean. */
  abstract double[] between(SigmaRange range, int count);

  /** Reads the flags by which diffusers chooses; at most one of them can be set. */
  static SigmaSpacing read(ConfigReader in) {
    SigmaSpacing found = in.choice("sigma_spacing", TRAINED);
    int set = 0;
    for (SigmaSpacing flagged : new SigmaSpacing[] {KARRAS, EXPONENTIAL, BETA}) {
      if (in.flag(flagged.flag(), false)) {
        found = flagged;
        set++;
      }
    }
    if (set > 1) {
      throw new IllegalArgumentException(
          "only one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas can be true,"
              + " got "
              + set);
    }
    return found;
  }

  /** As {@link #read}, also by the flag for equal steps of the log signal to noise ratio. */
  static SigmaSpacing readWithLu(ConfigReader in) {
    SigmaSpacing found = read(in);
    return in.flag(LU.flag(), false) && found == TRAINED ? LU : found;
  }

  void write(ConfigWriter out) {
    for (SigmaSpacing flagged : new SigmaSpacing[] {KARRAS, EXPONENTIAL, BETA}) {
      out.put(flagged.flag(), this == flagged);
    }
    if (ordinal() > LU.ordinal()) {
      out.put("sigma_spacing", this);
    }
  }

  void writeWithLu(ConfigWriter out) {
    write(out);
    out.put(LU.flag(), this == LU);
  }

  /** Whether the rule looks at the training steps. */
  boolean needsTraining() {
    return switch (this) {
      case TRAINED, LU, SGM_UNIFORM, SIMPLE, DDIM_UNIFORM -> true;
      default -> false;
    };
  }

  /** The key in scheduler_config.json. */
  String flag() {
    return this == LU ? "use_lu_lambdas" : "use_" + configName + "_sigmas";
  }

  private static double[] ramp(double from, double to, int count, DoubleUnaryOperator map) {
    double[] values = Spacing.linspace(0, 1, count);
    return map(values, t -> map.applyAsDouble(from + t * (to - from)));
  }

  private static double[] atTimesteps(SigmaRange range, double[] timesteps) {
    return map(timesteps, range.table()::sigmaAt);
  }

  private static double[] map(double[] values, DoubleUnaryOperator map) {
    for (int i = 0; i < values.length; i++) {
      values[i] = map.applyAsDouble(values[i]);
    }
    return values;
  }

  private static double[] logInterpolated(int count, double... table) {
    double[] positions = Spacing.linspace(0, table.length - 1, count);
    return map(
        positions,
        position -> {
          int below = Math.min((int) position, table.length - 2);
          double low = Math.log(table[below]);
          return Math.exp(low + (position - below) * (Math.log(table[below + 1]) - low));
        });
  }
}
