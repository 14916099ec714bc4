package io.github.diffusion4j.scheduler;

/**
 * Tables of how much of the data is left after each training step, and the maps between timestep
 * and sigma = noise / signal. Immutable; the tables are rounded as the reference rounds them.
 */
public final class NoiseSchedule {

  private static final float ALMOST_ZERO = 0x1p-24f;

  private final float[] betas;
  private final double[] alphaBars;
  private final float[] sigmas;
  private final float[] logSigmas;

  private NoiseSchedule(float[] betas, double[] alphaBars) {
    this.betas = betas;
    this.alphaBars = alphaBars;
    sigmas = new float[alphaBars.length];
    logSigmas = new float[alphaBars.length];
    for (int i = 0; i < sigmas.length; i++) {
      float alphaBar = (float) alphaBars[i];
      sigmas[i] = (float) Math.sqrt((1f - alphaBar) / alphaBar);
      logSigmas[i] = SingleLog.of(sigmas[i]);
    }
  }

  /**
   * The tables of a configuration.
   *
   * @param betas the noise of each training step
   * @return its tables
   */
  public static NoiseSchedule of(Betas betas) {
    float[] values = betas.values();
    double[] alphaBars = cumulate(values);
    if (betas.zeroTerminalSnr()) {
      values = rescale(alphaBars);
      alphaBars = cumulate(values);
    }
    return new NoiseSchedule(values, alphaBars);
  }

  /** As {@link #of}, but never quite without signal: sigma stays finite at the last step. */
  static NoiseSchedule withFiniteSigmas(Betas betas) {
    NoiseSchedule schedule = of(betas);
    if (!betas.zeroTerminalSnr()) {
      return schedule;
    }
    double[] alphaBars = schedule.alphaBars.clone();
    alphaBars[alphaBars.length - 1] = ALMOST_ZERO;
    return new NoiseSchedule(schedule.betas, alphaBars);
  }

  /**
   * The tables of the CogVideoX models: alpha-bar moved towards noise by a factor on the signal to
   * noise ratio, kept in double where the betas are.
   */
  static NoiseSchedule shifted(Betas betas, double snrShift) {
    boolean wide = betas.trained().isEmpty() && betas.schedule() == BetaSchedule.SCALED_LINEAR;
    double[] alphaBars = wide ? cumulateScaled(betas) : cumulate(betas.values());
    if (wide) {
      shift(alphaBars, snrShift, betas.zeroTerminalSnr());
    } else {
      shift(alphaBars, (float) snrShift, betas.zeroTerminalSnr());
    }
    return new NoiseSchedule(betas.values(), alphaBars);
  }

  private static void shift(double[] alphaBars, double snrShift, boolean rescales) {
    for (int i = 0; i < alphaBars.length; i++) {
      alphaBars[i] /= snrShift + (1 - snrShift) * alphaBars[i];
    }
    if (rescales) {
      double first = Math.sqrt(alphaBars[0]);
      double last = Math.sqrt(alphaBars[alphaBars.length - 1]);
      for (int i = 0; i < alphaBars.length; i++) {
        double root = (Math.sqrt(alphaBars[i]) - last) * (first / (first - last));
        alphaBars[i] = root * root;
      }
    }
  }

  private static void shift(double[] alphaBars, float snrShift, boolean rescales) {
    for (int i = 0; i < alphaBars.length; i++) {
      float alphaBar = (float) alphaBars[i];
      alphaBars[i] = alphaBar / (snrShift + (1 - snrShift) * alphaBar);
    }
    if (rescales) {
      float first = (float) Math.sqrt(alphaBars[0]);
      float last = (float) Math.sqrt(alphaBars[alphaBars.length - 1]);
      for (int i = 0; i < alphaBars.length; i++) {
        float root = ((float) Math.sqrt(alphaBars[i]) - last) * (first / (first - last));
        alphaBars[i] = root * root;
      }
    }
  }

  /**
   * The number of training steps.
   *
   * @return at least 1
   */
  public int trainSteps() {
    return alphaBars.length;
  }

  /**
   * The share of the data's variance left at a training step (alpha-bar, alphas_cumprod).
   *
   * @param timestep 0 to {@link #trainSteps()} - 1
   * @return 0 to 1
   */
  public double alphaBar(int timestep) {
    return alphaBars[timestep];
  }

  /**
   * Noise divided by signal at a training step.
   *
   * @param timestep 0 to {@link #trainSteps()} - 1
   * @return at least 0, increasing with the timestep
   */
  public double sigma(int timestep) {
    return sigmas[timestep];
  }

  /**
   * Noises a clean sample as training did.
   *
   * @param clean clean sample
   * @param noise standard normal noise
   * @param timestep how far, 0 to {@link #trainSteps()} - 1
   * @param dst overwritten; may be {@code clean} or {@code noise}
   */
  public void addNoise(float[] clean, float[] noise, int timestep, float[] dst) {
    float signal = (float) Math.sqrt(alphaBars[timestep]);
    float level = (float) Math.sqrt(1 - alphaBars[timestep]);
    Check.length("noise", noise, clean.length);
    Check.length("dst", dst, clean.length);
    for (int i = 0; i < clean.length; i++) {
      dst[i] = signal * clean[i] + level * noise[i];
    }
  }

  /**
   * What a model trained on velocity (v-prediction) learns to answer.
   *
   * @param clean clean sample
   * @param noise the noise it was given
   * @param timestep how far, 0 to {@link #trainSteps()} - 1
   * @param dst overwritten; may be {@code clean} or {@code noise}
   */
  public void velocity(float[] clean, float[] noise, int timestep, float[] dst) {
    float signal = (float) Math.sqrt(alphaBars[timestep]);
    float level = (float) Math.sqrt(1 - alphaBars[timestep]);
    Check.length("noise", noise, clean.length);
    Check.length("dst", dst, clean.length);
    for (int i = 0; i < clean.length; i++) {
      dst[i] = signal * noise[i] - level * clean[i];
    }
  }

  double beta(int timestep) {
    return betas[timestep];
  }

  double firstSigma() {
    return sigmas[0];
  }

  double lastSigma() {
    return sigmas[sigmas.length - 1];
  }

  double firstLogSigma() {
    return logSigmas[0];
  }

  double lastLogSigma() {
    return logSigmas[logSigmas.length - 1];
  }

  /** Sigma between training steps, linear in the timestep; constant beyond the ends. */
  double sigmaAt(double timestep) {
    if (timestep >= sigmas.length - 1) {
      return lastSigma();
    }
    if (timestep <= 0) {
      return firstSigma();
    }
    int below = (int) timestep;
    return sigmas[below] + (timestep - below) * ((double) sigmas[below + 1] - sigmas[below]);
  }

  /** The timestep of a sigma, linear in its logarithm between training steps. */
  double timestepOf(double sigma) {
    return timestepOfLog(Math.log(Math.max(sigma, 1e-10)));
  }

  /** The same as the reference finds it for a sigma it holds in single precision. */
  double timestepOf(float sigma) {
    return timestepOfLog(SingleLog.of(Math.max(sigma, 1e-10f)));
  }

  private double timestepOfLog(double log) {
    int low = 0;
    int high = logSigmas.length - 1;
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (log >= logSigmas[middle]) {
        low = middle;
      } else {
        high = middle;
      }
    }
    if (high == 0) {
      return 0;
    }
    double weight = (logSigmas[low] - log) / (logSigmas[low] - logSigmas[high]);
    weight = Math.min(Math.max(weight, 0), 1);
    return (1 - weight) * low + weight * high;
  }

  /** How many training steps have a log signal to noise ratio below a limit. */
  int countBelow(double lambda) {
    int count = 0;
    while (count < alphaBars.length) {
      float alphaBar = (float) alphaBars[alphaBars.length - 1 - count];
      float alpha = (float) Math.sqrt(alphaBar);
      float sigma = (float) Math.sqrt(1f - alphaBar);
      if ((float) Math.log(alpha) - (float) Math.log(sigma) >= (float) lambda) {
        break;
      }
      count++;
    }
    return count;
  }

  private static double[] cumulate(float[] betas) {
    double[] alphaBars = new double[betas.length];
    double product = 1;
    for (int i = 0; i < betas.length; i++) {
      product *= 1f - betas[i];
      alphaBars[i] = (float) product;
    }
    return alphaBars;
  }

  private static double[] cumulateScaled(Betas betas) {
    double[] alphaBars = new double[betas.trainSteps()];
    double first = Math.sqrt(betas.start());
    double step = (Math.sqrt(betas.end()) - first) / Math.max(alphaBars.length - 1, 1);
    double product = 1;
    for (int i = 0; i < alphaBars.length; i++) {
      double root = first + step * i;
      product *= 1 - root * root;
      alphaBars[i] = product;
    }
    return alphaBars;
  }

  private static float[] rescale(double[] alphaBars) {
    int count = alphaBars.length;
    float first = (float) Math.sqrt(alphaBars[0]);
    float last = (float) Math.sqrt(alphaBars[count - 1]);
    float factor = first / (first - last);
    float[] betas = new float[count];
    float before = 1;
    for (int i = 0; i < count; i++) {
      float root = ((float) Math.sqrt(alphaBars[i]) - last) * factor;
      float bar = root * root;
      betas[i] = 1f - (i == 0 ? bar : bar / before);
      before = bar;
    }
    return betas;
  }
}
