package io.github.diffusion4j.scheduler;

/**
 * What a model's output means, for a sample x = α · data + σ · noise. The one place that turns
 * outputs into data or noise.
 */
public enum Prediction implements ConfigName {
  /** The noise. */
  EPSILON("epsilon"),
  /** The velocity α · noise - σ · data (Salimans and Ho 2022). */
  V("v_prediction"),
  /** The data. */
  SAMPLE("sample"),
  /**
   * The velocity noise - data of flow matching (Lipman et al. 2022), x = (1 - σ) data + σ noise.
   */
  FLOW("flow_prediction"),
  /** The velocity of TrigFlow (Lu and Song 2024), x = cos(t) data + sin(t) noise. */
  TRIGFLOW("trigflow");

  private final String configName;

  Prediction(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** The data as a form of sample and output. */
  LinearForm data(double alpha, double sigma) {
    return switch (this) {
      case EPSILON -> new LinearForm(1 / alpha, -sigma / alpha);
      case V, TRIGFLOW -> new LinearForm(alpha, -sigma);
      case SAMPLE -> new LinearForm(0, 1);
      case FLOW -> new LinearForm(1, -sigma);
    };
  }

  /** The data where the sample is data + sigma · noise and the model sees it scaled down. */
  LinearForm dataOfUnscaled(double sigma) {
    double alpha = 1 / Math.sqrt(sigma * sigma + 1);
    LinearForm scaled = data(alpha, sigma * alpha);
    return new LinearForm(scaled.sample() * alpha, scaled.output());
  }

  /** The noise as a form of sample and output. */
  LinearForm noise(double alpha, double sigma) {
    return switch (this) {
      case EPSILON -> new LinearForm(0, 1);
      case V, TRIGFLOW -> new LinearForm(sigma, alpha);
      case SAMPLE -> new LinearForm(1 / sigma, -alpha / sigma);
      case FLOW -> new LinearForm(1, alpha);
    };
  }
}
