package io.github.diffusion4j.scheduler;

/**
 * What is done to each estimate of the clean sample, which models in pixel space need.
 *
 * @param clips whether values beyond {@code range} are cut off
 * @param range largest absolute value after clipping, above 0
 * @param thresholds whether each image is divided by a quantile of its absolute values (dynamic
 *     thresholding, Saharia et al. 2022); takes the place of clipping
 * @param ratio the quantile, 0 to 1
 * @param largest the largest quantile that is divided by, at least 1
 */
public record SampleClamp(
    boolean clips, double range, boolean thresholds, double ratio, double largest) {

  /** Leaves estimates as they are. */
  public static final SampleClamp NONE = new SampleClamp(false, 1, false, 0.995, 1);

  public SampleClamp {
    Check.positive("clip_sample_range", range);
    Check.between("dynamic_thresholding_ratio", ratio, 0, 1);
    Check.positive("sample_max_value", largest);
  }

  /** Whether estimates change at all. */
  boolean isActive() {
    return clips || thresholds;
  }

  static SampleClamp readClip(ConfigReader in, boolean clips) {
    return new SampleClamp(
        in.flag("clip_sample", clips),
        in.real("clip_sample_range", 1),
        false,
        NONE.ratio,
        NONE.largest);
  }

  static SampleClamp readThreshold(ConfigReader in) {
    return new SampleClamp(
        false,
        1,
        in.flag("thresholding", false),
        in.real("dynamic_thresholding_ratio", 0.995),
        in.real("sample_max_value", 1));
  }

  static SampleClamp read(ConfigReader in, boolean clips) {
    SampleClamp clip = readClip(in, clips);
    SampleClamp threshold = readThreshold(in);
    return new SampleClamp(
        clip.clips, clip.range, threshold.thresholds, threshold.ratio, threshold.largest);
  }

  void writeClip(ConfigWriter out) {
    out.put("clip_sample", clips).put("clip_sample_range", range);
  }

  void writeThreshold(ConfigWriter out) {
    out.put("thresholding", thresholds)
        .put("dynamic_thresholding_ratio", ratio)
        .put("sample_max_value", largest);
  }

  void write(ConfigWriter out) {
    writeClip(out);
    writeThreshold(out);
  }

  /**
   * Clamps estimates in place.
   *
   * @param scratch one image of values, overwritten; used only by thresholding
   */
  void apply(float[] denoised, SampleShape shape, float[] scratch) {
    if (thresholds) {
      for (int image = 0; image < shape.batch(); image++) {
        threshold(denoised, image * shape.elements(), scratch);
      }
    } else if (clips) {
      float high = (float) range;
      for (int i = 0; i < shape.total(); i++) {
        denoised[i] = Math.max(-high, Math.min(high, denoised[i]));
      }
    }
  }

  private void threshold(float[] denoised, int from, float[] scratch) {
    int count = scratch.length;
    for (int i = 0; i < count; i++) {
      scratch[i] = Math.abs(denoised[from + i]);
    }
    double quantile = Quantile.of(scratch, ratio);
    float limit = (float) Math.min(Math.max(quantile, 1), largest);
    for (int i = from; i < from + count; i++) {
      denoised[i] = Math.max(-limit, Math.min(limit, denoised[i])) / limit;
    }
  }
}
