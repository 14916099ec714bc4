package io.github.diffusion4j.scheduler;

/**
 * How flow matching pipelines shift the schedule for the size of the picture: mu grows linearly
 * with the number of image tokens.
 *
 * @param baseTokens number of tokens at which mu is {@code baseShift}, at least 1
 * @param maxTokens number of tokens at which mu is {@code maxShift}, other than {@code baseTokens}
 * @param baseShift mu at {@code baseTokens}
 * @param maxShift mu at {@code maxTokens}
 */
public record DynamicShift(int baseTokens, int maxTokens, double baseShift, double maxShift) {

  /** The shift of FLUX.1. */
  public static final DynamicShift DEFAULT = new DynamicShift(256, 4096, 0.5, 1.15);

  public DynamicShift {
    Check.atLeast("base_image_seq_len", baseTokens, 1);
    Check.atLeast("max_image_seq_len", maxTokens, 1);
    if (baseTokens == maxTokens) {
      throw new IllegalArgumentException(
          "max_image_seq_len must differ from base_image_seq_len, got %d for both"
              .formatted(maxTokens));
    }
    Check.finite("base_shift", baseShift);
    Check.finite("max_shift", maxShift);
  }

  static DynamicShift read(ConfigReader in) {
    return new DynamicShift(
        in.integer("base_image_seq_len", DEFAULT.baseTokens),
        in.integer("max_image_seq_len", DEFAULT.maxTokens),
        in.real("base_shift", DEFAULT.baseShift),
        in.real("max_shift", DEFAULT.maxShift));
  }

  void write(ConfigWriter out) {
    out.put("base_image_seq_len", baseTokens)
        .put("max_image_seq_len", maxTokens)
        .put("base_shift", baseShift)
        .put("max_shift", maxShift);
  }

  /**
   * The shift for a picture.
   *
   * @param tokens image tokens of the model's sequence (latent positions, divided by the patch
   *     size), at least 1
   * @return mu, for {@link StepPlan#withShift}
   */
  public double mu(int tokens) {
    Check.atLeast("tokens", tokens, 1);
    double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
    return tokens * slope + (baseShift - slope * baseTokens);
  }
}
