package io.github.diffusion4j.scheduler;

/**
 * One generation by ancestral sampling: each step draws from the posterior of the sample before,
 * given the estimate of the data (Ho et al. 2020, equation 7).
 */
final class PosteriorRun extends TimestepRun {

  private static final double LEAST_VARIANCE = 1e-20;

  private final VarianceType type;
  private final Update[] updates;
  private final double[] small;
  private final double[] large;

  /** The training step that each place leads to; below 0: clean data. */
  PosteriorRun(Grid grid, RunInput input, Recipe recipe) {
    super(grid, recipe.schedule, recipe.clamp, input);
    type = recipe.type;
    drawsNoise();
    if (type.isLearned()) {
      readsVariance();
    }
    updates = new Update[grid.evaluations()];
    small = new double[updates.length];
    large = new double[updates.length];
    for (int place = 0; place < updates.length; place++) {
      int step = trainStep(place);
      int next = place + 1 < updates.length ? trainStep(place + 1) : -1;
      double alphaBar = schedule().alphaBar(step);
      double nextAlphaBar = next >= 0 ? schedule().alphaBar(next) : 1;
      boolean tabled = recipe.usesTabledBetas && next == step - 1;
      double beta = tabled ? schedule().beta(step) : 1 - alphaBar / nextAlphaBar;
      large[place] = beta;
      small[place] = Math.max((1 - nextAlphaBar) / (1 - alphaBar) * beta, LEAST_VARIANCE);
      updates[place] =
          new Update(
              recipe.prediction.data(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)),
              Math.sqrt(1 - beta) * (1 - nextAlphaBar) / (1 - alphaBar),
              Math.sqrt(nextAlphaBar) * beta / (1 - alphaBar),
              0);
    }
  }

  /** What the solvers of this kind differ in. */
  record Recipe(
      NoiseSchedule schedule,
      Prediction prediction,
      SampleClamp clamp,
      VarianceType type,
      boolean usesTabledBetas) {}

  @Override
  boolean takesVariance() {
    return type.isLearned();
  }

  @Override
  void advance(float[] m, float[] x) {
    int place = place();
    Combination noise = sum();
    if (trainStep(place) > 0) {
      float[] drawn = draw();
      if (type.isLearned()) {
        scaleByLearned(drawn, place);
        noise.plus(1, drawn);
      } else {
        noise.plus(Math.sqrt(type.isLarge() ? large[place] : small[place]), drawn);
      }
    }
    step(updates[place], noise, m, x);
  }

  private void scaleByLearned(float[] drawn, int place) {
    float[] learned = variance();
    if (!varianceGiven()) {
      throw new IllegalArgumentException(
          "modelOutput must hold prediction and variance, %d values, got no variance"
              .formatted(2 * drawn.length));
    }
    if (type == VarianceType.LEARNED) {
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] *= (float) Math.sqrt(learned[i]);
      }
      return;
    }
    double least = Math.log(small[place]);
    double range = Math.log(large[place]) - least;
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] *= (float) Math.exp(0.5 * (least + (learned[i] + 1.0) / 2 * range));
    }
  }
}
