package io.github.diffusion4j.scheduler;

/**
 * Coefficients of one step of DPM-Solver: a Taylor expansion, in the step's length h in lambda, of
 * what the model predicts. Filled anew for each step.
 */
final class DpmStep {

  private final DpmAlgorithm algorithm;
  private final boolean midpoint;

  /** The levels the step goes between, for {@link DpmAlgorithm#set}. */
  double alpha;

  double level;
  double alphaRatio;
  double levelRatio;

  /** Factors of the sample, of the prediction and its derivatives, and of noise. */
  double ofSample;

  double ofValue;
  double ofSlope;
  double ofCurve;
  double ofNoise;

  /** Factors of the remembered predictions, the newest first. */
  final double[] weights = new double[3];

  DpmStep(DpmAlgorithm algorithm, boolean midpoint) {
    this.algorithm = algorithm;
    this.midpoint = midpoint;
  }

  private double between(SnrLevels run, int from, int to) {
    alpha = run.alpha(to);
    level = run.level(to);
    alphaRatio = alpha / run.alpha(from);
    levelRatio = level / run.level(from);
    double h = run.lambda(to) - run.lambda(from);
    algorithm.set(this, h);
    return h;
  }

  private void weigh(double newest, double middle, double oldest) {
    weights[0] = newest;
    weights[1] = middle;
    weights[2] = oldest;
  }

  /** The step of a multistep method at a place, with so many predictions remembered. */
  void multistep(DpmMethod method, SnrLevels run, int place, int remembered) {
    switch (method.orderAt(place, run.steps(), remembered, run.endsClean())) {
      case 1 -> first(run, place);
      case 2 -> multistepSecond(run, place);
      default -> multistepThird(run, place);
    }
  }

  /** From a place to the next, by the prediction there. */
  void first(SnrLevels run, int place) {
    between(run, place, place + 1);
    weigh(ofValue, 0, 0);
  }

  /** From a place to the next, also by the prediction one place before. */
  void multistepSecond(SnrLevels run, int place) {
    double h = between(run, place, place + 1);
    double slope = midpoint ? ofValue / 2 : ofSlope;
    double u = h / (run.lambda(place) - run.lambda(place - 1));
    weigh(ofValue + slope * u, -slope * u, 0);
  }

  /** From a place to the next, also by the predictions one and two places before. */
  void multistepThird(SnrLevels run, int place) {
    double h = between(run, place, place + 1);
    double r0 = (run.lambda(place) - run.lambda(place - 1)) / h;
    double r1 = (run.lambda(place - 1) - run.lambda(place - 2)) / h;
    double u = 1 / r0;
    double v = 1 / r1;
    double w = r0 / (r0 + r1);
    double z = 1 / (r0 + r1);
    weigh(
        ofValue + ofSlope * u * (1 + w) + ofCurve * z * u,
        -ofSlope * (u + w * (u + v)) - ofCurve * z * (u + v),
        ofSlope * w * v + ofCurve * z * v);
  }

  /** From one place back to the next, by the predictions at both. */
  void singlestepSecond(SnrLevels run, int place) {
    double h = between(run, place - 1, place + 1);
    double slope = midpoint ? ofValue / 2 : ofSlope;
    double u = h / (run.lambda(place) - run.lambda(place - 1));
    weigh(slope * u, ofValue - slope * u, 0);
  }

  /** From two places back to the next, by the predictions at all three. */
  void singlestepThird(SnrLevels run, int place) {
    double h = between(run, place - 2, place + 1);
    double r0 = (run.lambda(place) - run.lambda(place - 2)) / h;
    double r1 = (run.lambda(place - 1) - run.lambda(place - 2)) / h;
    if (midpoint) {
      weigh(ofSlope / r0, 0, ofValue - ofSlope / r0);
      return;
    }
    double slope = ofSlope / (r0 - r1);
    double curve = 2 * ofCurve / (r0 - r1);
    double newest = (curve - slope * r1) / r0;
    double middle = (slope * r0 - curve) / r1;
    weigh(newest, middle, ofValue - newest - middle);
  }
}
