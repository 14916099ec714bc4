package io.github.diffusion4j.scheduler;

/**
 * One step as coefficients: the clean sample is estimated as {@code data} of sample and output, and
 * the next sample is {@code ofSample·x + ofEstimate·estimate + ofOutput·m}. Mutable, so that a
 * multistep solver need not make one each step.
 */
final class Update {

  private LinearForm data;
  private double ofSample;
  private double ofEstimate;
  private double ofOutput;

  Update(LinearForm data, double ofSample, double ofEstimate, double ofOutput) {
    this.data = data;
    this.ofSample = ofSample;
    this.ofEstimate = ofEstimate;
    this.ofOutput = ofOutput;
  }

  /** Nothing yet; to be set before each step. */
  Update() {}

  Update set(LinearForm form, double sample, double estimate) {
    data = form;
    ofSample = sample;
    ofEstimate = estimate;
    ofOutput = 0;
    return this;
  }

  Update plusOutput(double output) {
    ofOutput = output;
    return this;
  }

  LinearForm data() {
    return data;
  }

  double ofSample() {
    return ofSample;
  }

  double ofEstimate() {
    return ofEstimate;
  }

  double ofOutput() {
    return ofOutput;
  }

  /** Coefficient of x where the estimate is not clamped. */
  double wholeOfSample() {
    return ofSample + ofEstimate * data.sample();
  }

  /** Coefficient of m where the estimate is not clamped. */
  double wholeOfOutput() {
    return ofEstimate * data.output() + ofOutput;
  }
}
