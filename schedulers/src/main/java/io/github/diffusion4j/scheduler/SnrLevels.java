package io.github.diffusion4j.scheduler;

/** Signal and noise at the places of a schedule. */
interface SnrLevels {

  /** Share of the data. */
  double alpha(int place);

  /** Deviation of the noise. */
  double level(int place);

  /** The logarithm of signal over noise. */
  double lambda(int place);

  /** The number of steps. */
  int steps();

  /** Whether the last step ends at a clean sample. */
  boolean endsClean();
}
