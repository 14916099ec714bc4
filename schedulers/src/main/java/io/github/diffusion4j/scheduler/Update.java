package io.github.diffusion4j.scheduler;

/**
 * One step as coefficients: the clean sample is estimated as {@code data} of sample and output, and
 * the next sample is {@code ofSample·x + ofEstimate·estimate + ofOutput·m}.
 */
record Update(LinearForm data, double ofSample, double ofEstimate, double ofOutput) {

  /** The next sample of sample and output alone, where the estimate is not clamped. */
  LinearForm next() {
    return new LinearForm(
        ofSample + ofEstimate * data.sample(), ofEstimate * data.output() + ofOutput);
  }
}
