package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * What SDXL is told of the training pictures that it shall imitate (Podell et al. 2023, arXiv
 * 2307.01952, section 2.2): their size before scaling, where they were cut, their size after, and
 * for the refiner how beautiful they were. Immutable.
 *
 * @param prompt told with the prompt
 * @param negative told with the negative prompt. As in the reference, a base model is told the
 *     prompt's sizes unless both original and target size are given here; where a picture is
 *     painted over, each missing size is the prompt's, and a base model is told the prompt's crop
 */
public record SizeConditioning(Sizes prompt, Sizes negative) {

  /** The picture's own size, not cut, and the refiner's usual scores. */
  public static final SizeConditioning DEFAULT = new SizeConditioning(Sizes.of(6.0), Sizes.of(2.5));

  /** Checks that both are there. */
  public SizeConditioning {
    requireNonNull(prompt, "prompt");
    requireNonNull(negative, "negative");
  }

  /**
   * A size in pixels.
   *
   * @param width at least 1
   * @param height at least 1
   */
  public record Size(int width, int height) {
    /** Checks the range. */
    public Size {
      if (width < 1 || height < 1) {
        throw new IllegalArgumentException(
            "a size must be at least 1 x 1 pixel, got %d x %d".formatted(width, height));
      }
    }
  }

  /**
   * Where a picture was cut.
   *
   * @param top pixels missing at the top
   * @param left pixels missing at the left
   */
  public record Crop(int top, int left) {
    /** Not cut. */
    public static final Crop NONE = new Crop(0, 0);
  }

  /**
   * What is told of one picture.
   *
   * @param original size before scaling and cutting; empty: the size painted
   * @param crop where it was cut
   * @param target size after scaling and cutting; empty: the size painted
   * @param aestheticScore how beautiful, about 1 to 10; for the refiner
   */
  public record Sizes(
      Optional<Size> original, Crop crop, Optional<Size> target, double aestheticScore) {

    /** Checks that nothing is missing. */
    public Sizes {
      requireNonNull(original, "original");
      requireNonNull(crop, "crop");
      requireNonNull(target, "target");
      if (!Double.isFinite(aestheticScore)) {
        throw new IllegalArgumentException(
            "aesthetic score must be a finite number, got " + aestheticScore);
      }
    }

    private static Sizes of(double score) {
      return new Sizes(Optional.empty(), Crop.NONE, Optional.empty(), score);
    }

    /**
     * With another original size.
     *
     * @param width in pixels
     * @param height in pixels
     * @return a copy
     */
    public Sizes withOriginal(int width, int height) {
      return new Sizes(Optional.of(new Size(width, height)), crop, target, aestheticScore);
    }

    /**
     * Cut elsewhere.
     *
     * @param top pixels missing at the top
     * @param left pixels missing at the left
     * @return a copy
     */
    public Sizes withCrop(int top, int left) {
      return new Sizes(original, new Crop(top, left), target, aestheticScore);
    }

    /**
     * With another target size.
     *
     * @param width in pixels
     * @param height in pixels
     * @return a copy
     */
    public Sizes withTarget(int width, int height) {
      return new Sizes(original, crop, Optional.of(new Size(width, height)), aestheticScore);
    }

    /**
     * With another score.
     *
     * @param score about 1 to 10
     * @return a copy
     */
    public Sizes withAestheticScore(double score) {
      return new Sizes(original, crop, target, score);
    }
  }

  /**
   * With something else told with the prompt.
   *
   * @param sizes in place of the present ones
   * @return a copy
   */
  public SizeConditioning withPrompt(Sizes sizes) {
    return new SizeConditioning(sizes, negative);
  }

  /**
   * With something else told with the negative prompt.
   *
   * @param sizes in place of the present ones
   * @return a copy
   */
  public SizeConditioning withNegative(Sizes sizes) {
    return new SizeConditioning(prompt, sizes);
  }
}
