package io.github.diffusion4j.scheduler;

/** Runs of solvers whose samples are data + sigma · noise, scaled down for the model. */
abstract class SigmaRun extends GridRun {

  private final double initNoiseSigma;

  SigmaRun(Grid grid, int trainSteps, SampleClamp clamp, RunInput input, double initNoiseSigma) {
    super(grid, trainSteps, clamp, input);
    this.initNoiseSigma = initNoiseSigma;
  }

  /** The greatest sigma, or that of a sample of greatest sigma with data of variance 1. */
  static double initNoiseSigma(Grid grid, TimestepSpacing spacing) {
    double greatest = 0;
    for (double sigma : grid.sigmas()) {
      greatest = Math.max(greatest, sigma);
    }
    return spacing == TimestepSpacing.LEADING ? Math.sqrt(greatest * greatest + 1) : greatest;
  }

  @Override
  public double initNoiseSigma() {
    return initNoiseSigma;
  }

  @Override
  double inputScale() {
    double sigma = inputSigma();
    return 1 / Math.sqrt(sigma * sigma + 1);
  }

  /** The sigma of the sample that the model sees next. */
  double inputSigma() {
    return sigma(place());
  }

  @Override
  double signal() {
    return 1;
  }

  @Override
  double noiseLevel() {
    return sigma(place());
  }
}
