package io.github.diffusion4j.scheduler;

/** Where the last step of a schedule of sigmas goes. */
public enum FinalSigma implements ConfigName {
  /** To a clean sample. */
  ZERO("zero"),
  /** To the least noise of training. */
  SIGMA_MIN("sigma_min");

  private final String configName;

  FinalSigma(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }
}
