package io.github.diffusion4j.scheduler;

/** The multistep DPM-Solver, in both directions. */
final class DpmMultistepRun extends LogSnrRun {

  private final DpmMethod method;
  private final DpmStep step;
  private final Update update = new Update();
  private final boolean learnedVariance;

  DpmMultistepRun(
      LogSnrConfig config, Grid grid, RunInput input, DpmMethod method, boolean learnedVariance) {
    super(config, grid, input, method.algorithm().predictsData(), method.order());
    this.method = method;
    this.learnedVariance = learnedVariance;
    if (method.algorithm().isStochastic()) {
      drawsNoise();
    }
    step = new DpmStep(method.algorithm(), method.midpoint());
  }

  @Override
  boolean takesVariance() {
    return learnedVariance;
  }

  @Override
  void advance(float[] m, float[] x) {
    int place = place();
    float[] newest = history().push();
    step.multistep(method, this, place, history().count());
    if (!predictsData()) {
      remember(m, x, newest);
      Combination next = sum().plus(step.ofSample, x).plus(step.weights[0], newest);
      addOlder(next).into(x);
      return;
    }
    denoisedIs(newest);
    step(update.set(data(place), step.ofSample, step.weights[0]), addOlder(sum()), m, x);
  }

  private Combination addOlder(Combination next) {
    for (int k = 1; k < history().count(); k++) {
      next.plus(step.weights[k], history().get(k));
    }
    return method.algorithm().isStochastic() ? next.plus(step.ofNoise, draw()) : next;
  }
}
