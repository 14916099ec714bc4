package io.github.diffusion4j.scheduler;

/**
 * The range that noise levels are spread over.
 *
 * @param table the model's training
 * @param max the greatest
 * @param min the least, above 0
 */
record SigmaRange(NoiseSchedule table, double max, double min) {

  double timestepOfMax() {
    return table.timestepOf(max);
  }

  double timestepOfMin() {
    return table.timestepOf(min);
  }
}
