package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * Pictures that say what is to be painted, beside the words: their content and look, not where
 * things are (IP-Adapter, Ye et al. 2023, arXiv 2308.06721). Immutable if its pictures are.
 *
 * @param pictures one for all, one for each prompt, or one for each image
 * @param scale how much they count; 1 as trained, 0 not at all
 */
public record ImagePrompt(PictureSource pictures, double scale) {

  /** Checks the range. */
  public ImagePrompt {
    requireNonNull(pictures, "pictures");
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException(
          "scale of an image prompt must be a finite number, got " + scale);
    }
  }

  /**
   * Pictures that count as the adapter was trained.
   *
   * @param pictures one for all, one for each prompt, or one for each image
   */
  public ImagePrompt(PictureSource pictures) {
    this(pictures, 1);
  }

  /**
   * With another scale.
   *
   * @param value 1 as trained, 0 not at all
   * @return a copy
   */
  public ImagePrompt withScale(double value) {
    return new ImagePrompt(pictures, value);
  }
}
