package io.github.diffusion4j.scheduler;

/** Runs of flow matching solvers: samples (1 - sigma) data + sigma noise. */
abstract class FlowRun extends GridRun {

  FlowRun(Grid grid, int trainSteps, RunInput input) {
    super(grid, trainSteps, SampleClamp.NONE, input);
  }

  @Override
  double signal() {
    return 1 - sigma(place());
  }

  @Override
  double noiseLevel() {
    return sigma(place());
  }
}
