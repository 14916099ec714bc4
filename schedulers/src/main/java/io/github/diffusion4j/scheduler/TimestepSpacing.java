package io.github.diffusion4j.scheduler;

/** How a few timesteps are chosen among the training steps (Lin et al. 2023, table 2). */
public enum TimestepSpacing implements ConfigName {
  /** Evenly from the last training step to the first, both included. */
  LINSPACE("linspace"),
  /** Every k-th step from the first one up. */
  LEADING("leading"),
  /** Every k-th step from the last one down. */
  TRAILING("trailing");

  private final String configName;

  TimestepSpacing(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
