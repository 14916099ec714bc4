package io.github.diffusion4j.scheduler;

/** One generation by SA-Solver. */
final class SaSolverRun extends LogSnrRun {

  private static final int FIRST_NOISY = 200;
  private static final int LAST_NOISY = 800;

  private final SaSolverScheduler recipe;
  private final NoiseSchedule table;
  private final int memory;
  private final double[] weights = new double[4];
  private final float[] before = newSample();
  private final float[] lastNoise = newSample();
  private boolean hasBefore;
  private int correctorOrder;
  private double tau;

  SaSolverRun(SaSolverScheduler recipe, Grid grid, RunInput input) {
    super(
        recipe.config(),
        grid,
        input,
        recipe.predictsData(),
        Math.max(recipe.predictorOrder(), recipe.correctorOrder() - 1) + 1);
    this.recipe = recipe;
    table = recipe.noiseSchedule();
    memory = Math.max(recipe.predictorOrder(), recipe.correctorOrder() - 1);
  }

  @Override
  boolean takesVariance() {
    return recipe.learnedVariance().isLearned();
  }

  /** Noised by the training's tables, as the reference does it, not by the schedule's sigmas. */
  @Override
  double signal() {
    return Math.sqrt(table.alphaBar(trainStep()));
  }

  @Override
  double noiseLevel() {
    return Math.sqrt(1 - table.alphaBar(trainStep()));
  }

  private int trainStep() {
    return (int) Math.min(timestepAt(place()), table.trainSteps() - 1.0);
  }

  @Override
  void advance(float[] m, float[] x) {
    int place = place();
    remember(m, x);
    if (place > 0 && hasBefore) {
      setWeights(place - 1, place, correctorOrder, place);
      adjust(place - 1, place, correctorOrder, true);
      update(place - 1, place, correctorOrder, before).into(x);
    }
    noise().fill(lastNoise);
    int left = grid().timesteps().length - place;
    int known = Math.min(history().count(), memory);
    int predictorOrder = Math.min(recipe.predictorOrder(), known);
    correctorOrder = Math.min(recipe.correctorOrder(), known + 1);
    if (recipe.lowerOrderFinal()) {
      predictorOrder = Math.min(predictorOrder, left);
      correctorOrder = Math.min(correctorOrder, left + 1);
    }
    System.arraycopy(x, 0, before, 0, x.length);
    hasBefore = true;
    double timestep = timestepAt(place);
    tau = timestep >= FIRST_NOISY && timestep <= LAST_NOISY ? 1 : 0;
    setWeights(place, place, predictorOrder, place + 1);
    adjust(place, place + 1, predictorOrder, false);
    update(place, place + 1, predictorOrder, x).into(x);
  }

  /**
   * Integrals over the step, in lambda, of an exponential times the polynomials that are 1 at one
   * of the places {@code newest}, {@code newest - 1}, ...
   */
  private void setWeights(int from, int newest, int order, int to) {
    double growth = predictsData() ? 1 + tau * tau : -1;
    double scale = (1 + tau * tau) * (predictsData() ? alpha(to) : -level(to));
    double start = lambda(from);
    double length = lambda(to) - start;
    for (int k = 0; k < order; k++) {
      weights[k] = 0;
      for (int node = 0; node < GaussLegendre.COUNT; node++) {
        double at = start + length * GaussLegendre.node(node);
        double value =
            scale * length * GaussLegendre.weight(node) * Math.exp(growth * (at - lambda(to)));
        for (int j = 0; j < order; j++) {
          if (j != k) {
            double other = lambda(newest - j);
            value *= (at - other) / (lambda(newest - k) - other);
          }
        }
        weights[k] += value;
      }
    }
  }

  /** The authors' correction of second order steps on predicted data. */
  private void adjust(int from, int to, int order, boolean corrects) {
    if (order != 2 || !predictsData()) {
      return;
    }
    double h = lambda(to) - lambda(from);
    double growth = 1 + tau * tau;
    double rest = h * h / 2 - (growth * h - 1 + Math.exp(-growth * h)) / (growth * growth);
    double span = corrects ? h : lambda(from) - lambda(from - 1);
    double change = growth * alpha(to) * rest / span;
    weights[0] += change;
    weights[1] -= change;
  }

  private Combination update(int from, int to, int order, float[] sample) {
    double h = lambda(to) - lambda(from);
    Combination next = sum();
    if (predictsData()) {
      next.plus(Math.exp(-tau * tau * h) * level(to) / level(from), sample);
      next.plus(level(to) * Math.sqrt(Math.max(-Math.expm1(-2 * tau * tau * h), 0)), lastNoise);
    } else {
      next.plus(alpha(to) / alpha(from), sample);
      next.plus(tau * level(to) * Math.sqrt(Math.max(Math.expm1(2 * h), 0)), lastNoise);
    }
    for (int k = 0; k < order; k++) {
      next.plus(weights[k], history().get(k));
    }
    return next;
  }
}
