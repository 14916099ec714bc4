package io.github.diffusion4j.scheduler;

/**
 * Runs of solvers that step in lambda = log(signal / noise). What the model answers is turned into
 * data or noise and remembered for the next steps.
 */
abstract class LogSnrRun extends GridRun implements SnrLevels {

  private final double[] alphas;
  private final double[] sigmas;
  private final double[] lambdas;
  private final LinearForm[] data;
  private final LinearForm[] noises;
  private final boolean predictsData;
  private final History history;

  /** Noise levels where signal and noise are 1 and sigma, scaled to a sum of squares of 1. */
  LogSnrRun(LogSnrConfig config, Grid grid, RunInput input, boolean predictsData, int memory) {
    super(grid, config.betas().trainSteps(), config.clamp(), input);
    this.predictsData = predictsData;
    history = new History(this, memory);
    int count = grid.sigmas().length;
    alphas = new double[count];
    sigmas = new double[count];
    lambdas = new double[count];
    data = new LinearForm[count];
    noises = new LinearForm[count];
    for (int place = 0; place < count; place++) {
      double sigma = sigma(place);
      alphas[place] = config.flow().used() ? 1 - sigma : 1 / Math.sqrt(sigma * sigma + 1);
      sigmas[place] = config.flow().used() ? sigma : sigma * alphas[place];
      lambdas[place] = Math.log(alphas[place]) - Math.log(sigmas[place]);
      boolean flow = config.prediction() == Prediction.FLOW;
      double known = flow ? sigma : sigmas[place];
      data[place] = config.prediction().data(alphas[place], known);
      noises[place] = config.prediction().noise(alphas[place], known);
    }
  }

  @Override
  double signal() {
    return alphas[place()];
  }

  @Override
  double noiseLevel() {
    return sigmas[place()];
  }

  @Override
  public final double alpha(int place) {
    return alphas[place];
  }

  @Override
  public final double level(int place) {
    return sigmas[place];
  }

  @Override
  public final double lambda(int place) {
    return lambdas[place];
  }

  final boolean predictsData() {
    return predictsData;
  }

  final LinearForm data(int place) {
    return data[place];
  }

  final History history() {
    return history;
  }

  /** Remembers what the output says of data or noise. */
  final void remember(float[] m, float[] x) {
    remember(m, x, history.push());
  }

  /** Writes what the output says of data or noise. */
  final void remember(float[] m, float[] x, float[] dst) {
    int place = place();
    if (predictsData) {
      denoisedIs(dst);
      estimate(data[place], m, x);
    } else if (clamp().isActive()) {
      estimate(data[place], m, x);
      sum().plus(1 / sigmas[place], x).plus(-alphas[place] / sigmas[place], denoised()).into(dst);
    } else {
      estimate(data[place], m, x);
      sum().apply(noises[place], x, m, dst);
    }
  }
}
