package io.github.diffusion4j.scheduler;

/**
 * The exact model of independent normal data: what it answers to a noisy input in closed form (see
 * the goldens' README).
 */
final class GaussianModel {

  private final double mean;
  private final double deviation;
  private final boolean consistency;
  private final String prediction;
  private final double dataSigma;
  private final double leastSigma;
  private final boolean edmVelocity;

  GaussianModel(GoldenCase golden) {
    mean = golden.at("gaussian").path("mu").asDouble();
    deviation = golden.at("gaussian").path("s").asDouble();
    consistency = golden.at("gaussian").path("denoiser").asText().equals("consistency");
    prediction = golden.at("prediction").asText();
    dataSigma = golden.at("config").path("sigma_data").asDouble(0.5);
    leastSigma =
        prediction.equals("cm") ? golden.at("config").path("sigma_min").asDouble(0.002) : 0;
    edmVelocity =
        prediction.equals("edm")
            && golden.at("config").path("prediction_type").asText().equals("v_prediction");
  }

  /** Share of the data in what the model sees next. */
  static double signal(GridRun run) {
    return run instanceof LogSnrRun levels
        ? levels.alpha(run.place())
        : run.signal() * run.inputScale();
  }

  /** Deviation of the noise in what the model sees next. */
  static double noise(GridRun run) {
    if (run instanceof LogSnrRun levels) {
      return levels.level(run.place());
    }
    if (run instanceof ScmScheduler.Run) {
      return Math.sin(run.timestep());
    }
    double level = run instanceof SigmaRun sigmas ? sigmas.inputSigma() : run.noiseLevel();
    return level * run.inputScale();
  }

  /** The answer to each value of an input of signal a and noise b. */
  void answer(double a, double b, float[] input, float[] output) {
    for (int i = 0; i < input.length; i++) {
      output[i] = (float) answer(a, b, input[i]);
    }
  }

  private double answer(double a, double b, double x) {
    double variance = a * a * deviation * deviation + b * b;
    double gain =
        consistency ? deviation / Math.sqrt(variance) : deviation * deviation * a / variance;
    double d = mean + gain * (x - a * mean);
    double e = (x - a * d) / b;
    return switch (prediction) {
      case "epsilon" -> e;
      case "sample" -> d;
      case "v_prediction", "trigflow" -> a * e - b * d;
      case "flow" -> e - d;
      case "edm", "cm" -> preconditioned(d, x / a, b / a);
      default -> throw new AssertionError("no such prediction: " + prediction);
    };
  }

  private double preconditioned(double d, double x, double q) {
    double above = q - leastSigma;
    double square = dataSigma * dataSigma;
    double skip = square / (above * above + square);
    double out = above * dataSigma / Math.sqrt(q * q + square) * (edmVelocity ? -1 : 1);
    return out == 0 ? 0 : (d - skip * x) / out;
  }
}
