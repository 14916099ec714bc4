package io.github.diffusion4j.scheduler;

/** The variance of the noise that each step of DDPM adds. */
public enum VarianceType implements ConfigName {
  /** That of the posterior: the least possible. */
  FIXED_SMALL("fixed_small"),
  /** As {@link #FIXED_SMALL}. */
  FIXED_SMALL_LOG("fixed_small_log"),
  /** That of the forward step: the greatest possible. */
  FIXED_LARGE("fixed_large"),
  /** As {@link #FIXED_LARGE}. */
  FIXED_LARGE_LOG("fixed_large_log"),
  /** Predicted by the model. */
  LEARNED("learned"),
  /** Predicted by the model as a place between the two, -1 to 1 (Nichol and Dhariwal 2021). */
  LEARNED_RANGE("learned_range");

  private final String configName;

  VarianceType(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  boolean isLarge() {
    return this == FIXED_LARGE || this == FIXED_LARGE_LOG;
  }

  boolean isLearned() {
    return this == LEARNED || this == LEARNED_RANGE;
  }
}
