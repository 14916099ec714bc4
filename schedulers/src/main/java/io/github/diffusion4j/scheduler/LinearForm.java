package io.github.diffusion4j.scheduler;

/** The combination {@code sample·x + output·m} of a sample x and a model output m. */
record LinearForm(double sample, double output) {

  /** This form where {@code output} is another form of the same two. */
  LinearForm of(LinearForm inner) {
    return new LinearForm(sample + output * inner.sample, output * inner.output);
  }
}
