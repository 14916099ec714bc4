package io.github.diffusion4j.scheduler;

/**
 * One generation by the midpoint method: a first evaluation leads to a sigma between the step's
 * ends, a second one there gives the slope of the whole step.
 */
final class MidpointRun extends SigmaRun {

  private final Levels levels;
  private final LinearForm[] firstData;
  private final LinearForm[] secondData;
  private final float[] before = newSample();
  private final boolean stochastic;
  private boolean second;

  /** For each step: where it starts, its middle, its end, and the noise added then. */
  record Levels(double[] start, double[] middle, double[] end, double[] up) {}

  MidpointRun(SigmaConfig config, Grid grid, RunInput input, Levels levels, boolean stochastic) {
    super(
        grid,
        config.betas().trainSteps(),
        SampleClamp.NONE,
        input,
        initNoiseSigma(grid, config.spacing().kind()));
    this.levels = levels;
    this.stochastic = stochastic;
    if (stochastic) {
      drawsNoise();
    }
    firstData = new LinearForm[levels.start.length];
    secondData = new LinearForm[levels.start.length];
    for (int step = 0; step < firstData.length; step++) {
      firstData[step] = config.prediction().dataOfUnscaled(levels.start[step]);
      secondData[step] = config.prediction().dataOfUnscaled(levels.middle[step]);
    }
  }

  @Override
  double inputSigma() {
    return second ? levels.middle[place() / 2] : sigma(place());
  }

  @Override
  void advance(float[] m, float[] x) {
    if (second) {
      int step = place() / 2;
      double middle = levels.middle[step];
      double length = levels.end[step] - levels.start[step];
      estimate(secondData[step], m, x);
      Combination next =
          sum().plus(1, before).plus(length / middle, x).plus(-length / middle, denoised());
      if (stochastic) {
        next.plus(levels.up[step], draw());
      }
      next.into(x);
    } else {
      int step = (place() + 1) / 2;
      double ratio = levels.middle[step] / levels.start[step];
      System.arraycopy(x, 0, before, 0, x.length);
      estimate(firstData[step], m, x);
      sum().plus(ratio, x).plus(1 - ratio, denoised()).into(x);
    }
    second = !second;
  }
}
