package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

/**
 * The noise levels and the preconditioning of EDM models (Karras et al. 2022, table 1): the model
 * sees a sample scaled to unit variance and is told log(sigma) / 4.
 *
 * @param min least sigma, above 0
 * @param max greatest sigma, at least {@code min}
 * @param data standard deviation of the data, above 0
 * @param exponential whether sigmas are evenly spaced in the logarithm rather than in the root
 * @param rho that root
 * @param trainSteps number of training steps, which no result depends on
 * @param prediction what the model predicts: noise or velocity
 * @param last where the last step goes
 */
public record EdmSigmas(
    double min,
    double max,
    double data,
    boolean exponential,
    double rho,
    int trainSteps,
    Prediction prediction,
    FinalSigma last) {

  public EdmSigmas {
    Check.positive("sigma_min", min);
    Check.positive("sigma_max", max);
    Check.positive("sigma_data", data);
    Check.positive("rho", rho);
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    requireNonNull(prediction, "prediction");
    requireNonNull(last, "last");
  }

  static EdmSigmas read(ConfigReader in) {
    return new EdmSigmas(
        in.real("sigma_min", 0.002),
        in.real("sigma_max", 80),
        in.real("sigma_data", 0.5),
        in.either("sigma_schedule", "karras", "exponential"),
        in.real("rho", 7),
        in.integer("num_train_timesteps", 1000),
        in.choice("prediction_type", Prediction.EPSILON, Prediction.EPSILON, Prediction.V),
        in.choice("final_sigmas_type", FinalSigma.ZERO));
  }

  void write(ConfigWriter out) {
    out.put("sigma_min", min)
        .put("sigma_max", max)
        .put("sigma_data", data)
        .putObject("sigma_schedule", exponential ? "exponential" : "karras")
        .put("rho", rho)
        .put("num_train_timesteps", trainSteps)
        .put("prediction_type", prediction)
        .put("final_sigmas_type", last);
  }

  /** So many steps, the sigmas computed in double or, as one class does it, in single. */
  Grid grid(int steps, boolean single) {
    double[] sigmas = new double[steps + 1];
    if (exponential) {
      float[] logs = new float[steps];
      Betas.linspace((float) Math.log(min), (float) Math.log(max), logs);
      for (int i = 0; i < steps; i++) {
        sigmas[i] = (float) Math.exp(logs[steps - 1 - i]);
      }
    } else {
      float[] ramp = new float[steps];
      Betas.linspace(0, 1, ramp);
      for (int i = 0; i < steps; i++) {
        sigmas[i] = single ? karras(ramp[i]) : karras(i / Math.max(steps - 1.0, 1));
      }
    }
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      timesteps[i] = 0.25f * (float) Math.log(sigmas[i]);
    }
    double least = single ? (float) min : sigmas[steps - 1];
    sigmas[steps] = last == FinalSigma.ZERO ? 0 : least;
    return new Grid(timesteps, sigmas);
  }

  private double karras(double ramp) {
    double from = Math.pow(max, 1 / rho);
    double to = Math.pow(min, 1 / rho);
    return (float) Math.pow(from + ramp * (to - from), rho);
  }

  private double karras(float ramp) {
    double from = Math.pow(max, 1 / rho);
    double to = Math.pow(min, 1 / rho);
    float root = (float) from + ramp * (float) (to - from);
    return (float) Math.pow(root, rho);
  }

  double initNoiseSigma() {
    return Math.sqrt(max * max + 1);
  }

  double inputScale(double sigma) {
    return 1 / Math.sqrt(sigma * sigma + data * data);
  }

  /** The data as a form of sample and output. */
  LinearForm data(double sigma) {
    double square = sigma * sigma + data * data;
    double ofOutput = sigma * data / Math.sqrt(square);
    return new LinearForm(data * data / square, prediction == Prediction.V ? -ofOutput : ofOutput);
  }
}
