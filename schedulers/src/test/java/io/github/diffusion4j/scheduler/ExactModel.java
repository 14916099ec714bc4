package io.github.diffusion4j.scheduler;

import java.util.Map;

/** A model that knows the one clean sample there is, for any solver: the perfect denoiser. */
final class ExactModel {

  private final Prediction prediction;
  private final Preconditioning preconditioning;
  private final float[] clean;

  private enum Preconditioning {
    NONE,
    EDM,
    CONSISTENCY
  }

  ExactModel(Scheduler scheduler, float[] clean) {
    this.clean = clean;
    Map<String, Object> config = scheduler.toConfig();
    String name = config.get("_class_name").toString();
    preconditioning =
        name.startsWith("EDM")
            ? Preconditioning.EDM
            : name.startsWith("CM") ? Preconditioning.CONSISTENCY : Preconditioning.NONE;
    String type = String.valueOf(config.get("prediction_type"));
    Prediction found = name.startsWith("FlowMatch") ? Prediction.FLOW : Prediction.V;
    for (Prediction candidate : Prediction.values()) {
      found = candidate.configName().equals(type) ? candidate : found;
    }
    prediction = found;
  }

  /** Answers what the run's solver needs to hear at its place. */
  void answer(GridRun run, float[] input, float[] output) {
    double a = GaussianModel.signal(run);
    double b = GaussianModel.noise(run);
    for (int i = 0; i < input.length; i++) {
      double d = clean[i % clean.length];
      double e = b == 0 ? 0 : (input[i] - a * d) / b;
      output[i] = (float) answer(a, b, d, e);
    }
  }

  private double answer(double a, double b, double d, double e) {
    if (preconditioning != Preconditioning.NONE) {
      double q = b / a;
      double above = preconditioning == Preconditioning.EDM ? q : q - 0.002;
      double skip = 0.25 / (above * above + 0.25);
      double out = above * 0.5 / Math.sqrt(q * q + 0.25);
      return out == 0 ? 0 : (d - skip * (d + q * e)) / out;
    }
    return switch (prediction) {
      case EPSILON -> e;
      case SAMPLE -> d;
      case V, TRIGFLOW -> a * e - b * d;
      case FLOW -> e - d;
    };
  }
}
