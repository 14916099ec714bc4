package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.SafetyPolicy;
import java.util.List;

/**
 * What a safety checker said of a generation's pictures.
 *
 * @param policy what became of flagged pictures; {@link SafetyPolicy#OFF} where nothing was
 *     checked: by wish, or because the model has no safety checker
 * @param flagged of each picture, whether it was flagged; empty where nothing was checked
 */
public record SafetyReport(SafetyPolicy policy, List<Boolean> flagged) {

  /** Nothing was checked. */
  public static final SafetyReport UNCHECKED = new SafetyReport(SafetyPolicy.OFF, List.of());

  /** Copies the list. */
  public SafetyReport {
    requireNonNull(policy, "policy");
    flagged = List.copyOf(flagged);
    if (policy == SafetyPolicy.OFF && !flagged.isEmpty()) {
      throw new IllegalArgumentException("flagged must be empty under OFF, got " + flagged);
    }
  }

  /**
   * Whether a picture was checked and flagged.
   *
   * @param index of the picture
   * @return false also where nothing was checked
   */
  public boolean isFlagged(int index) {
    return policy != SafetyPolicy.OFF && flagged.get(index);
  }

  /** The report on one picture. */
  SafetyReport ofImage(int index) {
    return policy == SafetyPolicy.OFF
        ? this
        : new SafetyReport(policy, List.of(flagged.get(index)));
  }
}
