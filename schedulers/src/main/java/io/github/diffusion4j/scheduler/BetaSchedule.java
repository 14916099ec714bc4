package io.github.diffusion4j.scheduler;

/** How the noise added in each training step (beta) grows over the steps. */
public enum BetaSchedule implements ConfigName {
  /** Evenly from the first to the last. */
  LINEAR("linear"),
  /** Evenly in the square root: Stable Diffusion. */
  SCALED_LINEAR("scaled_linear"),
  /** Squared cosine of alpha-bar, Nichol and Dhariwal 2021. */
  COSINE("squaredcos_cap_v2"),
  /** Exponential of alpha-bar. */
  EXPONENTIAL("exp"),
  /** Laplace distribution of the log signal to noise ratio, Hang et al. 2024. */
  LAPLACE("laplace"),
  /** Sigmoid between the first and the last. */
  SIGMOID("sigmoid");

  private final String configName;

  BetaSchedule(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
