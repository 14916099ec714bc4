package io.github.diffusion4j.scheduler;

/** Whether a model predicts a variance beside its prediction, as scheduler_config.json says it. */
public enum LearnedVariance implements ConfigName {
  /** It does not. */
  NONE("none"),
  /** It does. */
  LEARNED("learned"),
  /** It does, as a place between the least and the greatest possible. */
  LEARNED_RANGE("learned_range");

  private final String configName;

  LearnedVariance(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  boolean isLearned() {
    return this != NONE;
  }

  /** The value to write; null for none. */
  Object configValue() {
    return isLearned() ? configName : null;
  }
}
