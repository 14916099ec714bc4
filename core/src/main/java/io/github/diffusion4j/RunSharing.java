package io.github.diffusion4j;

/** Which generations may share a run of a denoiser. */
public enum RunSharing {
  /** None: the number of rows is fixed, or not known to be free. */
  NONE,
  /** Those at the same timestep: the network takes one for all rows. */
  EQUAL_TIMESTEPS,
  /** All: the network takes a timestep for each row. */
  ANY_TIMESTEPS
}
