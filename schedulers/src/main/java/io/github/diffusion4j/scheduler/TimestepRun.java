package io.github.diffusion4j.scheduler;

/** Runs of solvers that work on whole training steps and alpha-bar. */
abstract class TimestepRun extends GridRun {

  private final NoiseSchedule schedule;

  TimestepRun(Grid grid, NoiseSchedule schedule, SampleClamp clamp, RunInput input) {
    super(grid, schedule.trainSteps(), clamp, input);
    this.schedule = schedule;
    for (double timestep : grid.timesteps()) {
      if (!(timestep >= 0 && timestep < schedule.trainSteps())) {
        throw new IllegalArgumentException(
            "timesteps must be from 0 to %d, the last training step, got %s"
                .formatted(schedule.trainSteps() - 1, timestep));
      }
    }
  }

  final NoiseSchedule schedule() {
    return schedule;
  }

  /** The training step at a place. */
  final int trainStep(int place) {
    return (int) timestepAt(place);
  }

  @Override
  double signal() {
    return Math.sqrt(schedule.alphaBar(trainStep(place())));
  }

  @Override
  double noiseLevel() {
    return Math.sqrt(1 - schedule.alphaBar(trainStep(place())));
  }
}
