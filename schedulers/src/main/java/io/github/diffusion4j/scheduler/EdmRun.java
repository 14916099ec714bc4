package io.github.diffusion4j.scheduler;

/** Runs of solvers for EDM models: samples data + sigma · noise, scaled to unit variance. */
abstract class EdmRun extends SigmaRun {

  private final EdmSigmas levels;

  EdmRun(EdmSigmas levels, Grid grid, SampleClamp clamp, RunInput input) {
    super(grid, levels.trainSteps(), clamp, input, levels.initNoiseSigma());
    this.levels = levels;
  }

  @Override
  double inputScale() {
    return levels.inputScale(sigma(place()));
  }
}
