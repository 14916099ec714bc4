package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * The noise that training added step by step, as a configuration says it.
 *
 * @param trainSteps number of training steps, at least 1
 * @param start beta of the first step
 * @param end beta of the last step
 * @param schedule how beta grows between the two
 * @param trained betas given one by one, which take the place of the schedule; empty: none
 * @param zeroTerminalSnr whether the betas are rescaled so that the last step is pure noise (Lin et
 *     al. 2023, algorithm 1)
 */
public record Betas(
    int trainSteps,
    double start,
    double end,
    BetaSchedule schedule,
    List<Double> trained,
    boolean zeroTerminalSnr) {

  /** The betas of Stable Diffusion. */
  public static final Betas STABLE_DIFFUSION =
      new Betas(1000, 0.00085, 0.012, BetaSchedule.SCALED_LINEAR, List.of(), false);

  /** The betas of the first paper (Ho et al. 2020), the default of most classes. */
  static final Betas LINEAR = new Betas(1000, 0.0001, 0.02, BetaSchedule.LINEAR, List.of(), false);

  /** The default of the two-evaluation solvers. */
  static final Betas LINEAR_SD =
      new Betas(1000, 0.00085, 0.012, BetaSchedule.LINEAR, List.of(), false);

  private static final BetaSchedule[] USUAL = {
    BetaSchedule.LINEAR, BetaSchedule.SCALED_LINEAR, BetaSchedule.COSINE
  };

  public Betas {
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    Check.between("beta_start", start, 0, 1);
    Check.between("beta_end", end, 0, 1);
    requireNonNull(schedule, "schedule");
    trained = List.copyOf(trained);
    if (!trained.isEmpty() && trained.size() < trainSteps) {
      throw new IllegalArgumentException(
          "trained_betas must hold num_train_timesteps = %d values, got %d"
              .formatted(trainSteps, trained.size()));
    }
  }

  static Betas read(ConfigReader in, Betas missing, BetaSchedule... allowed) {
    return new Betas(
        in.integer("num_train_timesteps", missing.trainSteps),
        in.real("beta_start", missing.start),
        in.real("beta_end", missing.end),
        in.choice("beta_schedule", missing.schedule, allowed.length == 0 ? USUAL : allowed),
        in.reals("trained_betas"),
        false);
  }

  /** Also reads whether the betas are rescaled. */
  static Betas readWithRescale(ConfigReader in, Betas missing, BetaSchedule... allowed) {
    Betas betas = read(in, missing, allowed);
    return new Betas(
        betas.trainSteps,
        betas.start,
        betas.end,
        betas.schedule,
        betas.trained,
        in.flag("rescale_betas_zero_snr", false));
  }

  void write(ConfigWriter out) {
    out.put("num_train_timesteps", trainSteps)
        .put("beta_start", start)
        .put("beta_end", end)
        .put("beta_schedule", schedule)
        .put("trained_betas", trained);
  }

  void writeWithRescale(ConfigWriter out) {
    write(out);
    out.put("rescale_betas_zero_snr", zeroTerminalSnr);
  }

  /** The betas themselves, rounded to float as the reference rounds them. */
  float[] values() {
    float[] betas = new float[trained.isEmpty() ? trainSteps : trained.size()];
    if (!trained.isEmpty()) {
      for (int i = 0; i < betas.length; i++) {
        betas[i] = trained.get(i).floatValue();
      }
      return betas;
    }
    switch (schedule) {
      case LINEAR -> linspace((float) start, (float) end, betas);
      case SCALED_LINEAR -> {
        linspace((float) Math.sqrt(start), (float) Math.sqrt(end), betas);
        for (int i = 0; i < betas.length; i++) {
          betas[i] *= betas[i];
        }
      }
      case SIGMOID -> {
        linspace(-6, 6, betas);
        for (int i = 0; i < betas.length; i++) {
          float sigmoid = (float) (1 / (1 + Math.exp(-betas[i])));
          betas[i] = sigmoid * (float) (end - start) + (float) start;
        }
      }
      default -> {
        for (int i = 0; i < betas.length; i++) {
          double now = alphaBar((double) i / trainSteps);
          double next = alphaBar((i + 1.0) / trainSteps);
          betas[i] = (float) Math.min(1 - next / now, 0.999);
        }
      }
    }
    return betas;
  }

  private double alphaBar(double time) {
    return switch (schedule) {
      case COSINE -> {
        double cosine = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
        yield cosine * cosine;
      }
      case EXPONENTIAL -> Math.exp(-12 * time);
      case LAPLACE -> {
        double side = Math.copySign(1, 0.5 - time);
        double snr = Math.exp(-0.5 * side * Math.log(1 - 2 * Math.abs(0.5 - time) + 1e-6));
        yield Math.sqrt(snr / (1 + snr));
      }
      default -> throw new AssertionError(schedule);
    };
  }

  /** Even spacing in float, from both ends towards the middle, each value rounded once. */
  static void linspace(float start, float end, float[] dst) {
    int count = dst.length;
    if (count == 1) {
      dst[0] = start;
      return;
    }
    float step = (end - start) / (count - 1);
    for (int i = 0; i < count; i++) {
      dst[i] =
          i < count / 2
              ? (float) (start + (double) step * i)
              : (float) (end - (double) step * (count - 1 - i));
    }
  }
}
