package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Paints a part of a picture anew. A model made for it (nine channels for latents of four) sees the
 * mask and the masked picture beside its latents; with an ordinary one the known part is put back
 * after every step, noised to that step's level (Lugmayr et al. 2022, arXiv 2201.09865, without its
 * resampling).
 *
 * @param pictures one for all, one for each prompt, or one for each image
 * @param mask of the picture's size; white is painted
 * @param options how
 */
public record Inpaint(Pictures pictures, Mask mask, Options options) implements Init {

  /** What the painting begins with under the mask, where the strength is below 1. */
  public enum Fill {
    /** The picture itself. */
    ORIGINAL,
    /** Colours that flow in from around the mask. */
    SURROUNDINGS,
    /** Latent noise. */
    NOISE,
    /** Latents of zero: an even grey. */
    NOTHING
  }

  /**
   * How a part is painted.
   *
   * @param strength share of the steps that are taken, above 0 to 1; at 1 what was under the mask
   *     has no influence
   * @param fill what the painting begins with under the mask
   * @param crop pixels around the mask that are painted with it, the rest of the picture being left
   *     out: the part is painted at the request's size and set into the whole picture; empty: the
   *     whole picture is painted
   * @param overlay whether the known part of the picture is put back pixel by pixel, which the
   *     autoencoder changes a little otherwise; a crop always does
   */
  public record Options(double strength, Fill fill, OptionalInt crop, boolean overlay) {

    /** The reference's: strength 1 of the whole picture. */
    public static final Options DEFAULT = new Options(1, Fill.ORIGINAL, OptionalInt.empty(), false);

    /** Checks the ranges. */
    public Options {
      Encoding.checkedStrength(strength);
      requireNonNull(fill, "fill");
      if (crop.orElse(0) < 0) {
        throw new IllegalArgumentException("crop must be at least 0, got " + crop.getAsInt());
      }
    }

    /**
     * With another strength.
     *
     * @param value above 0 to 1
     * @return a copy
     */
    public Options withStrength(double value) {
      return new Options(value, fill, crop, overlay);
    }

    /**
     * With something else under the mask.
     *
     * @param value what the painting begins with there
     * @return a copy
     */
    public Options withFill(Fill value) {
      return new Options(strength, value, crop, overlay);
    }

    /**
     * Painting only the mask and so much around it.
     *
     * @param pixels at least 0
     * @return a copy
     */
    public Options withCrop(int pixels) {
      return new Options(strength, fill, OptionalInt.of(pixels), overlay);
    }

    /**
     * Putting the known part back pixel by pixel.
     *
     * @return a copy
     */
    public Options withOverlay() {
      return new Options(strength, fill, crop, true);
    }
  }

  /** Checks that the mask fits the picture. */
  public Inpaint {
    requireNonNull(pictures, "pictures");
    requireNonNull(mask, "mask");
    requireNonNull(options, "options");
    if (mask.width() != pictures.width() || mask.height() != pictures.height()) {
      throw new IllegalArgumentException(
          "the mask has %d x %d pixels, the picture %d x %d; they must be of one size"
              .formatted(mask.width(), mask.height(), pictures.width(), pictures.height()));
    }
  }

  /**
   * Inpainting as the reference does it by default.
   *
   * @param pictures one for all, one for each prompt, or one for each image
   * @param mask of the picture's size; white is painted
   */
  public Inpaint(Pictures pictures, Mask mask) {
    this(pictures, mask, Options.DEFAULT);
  }

  @Override
  public GenerationRequest prepare(GenerationRequest request, Stages stages) {
    if (stages.denoiser().extraChannels() != 0) {
      Init.requireExtraChannels(stages, stages.codec().latentChannels() + 1);
    }
    Encoding.requireEncoder(stages);
    Encoding.checkCount(request, pictures);
    return options.crop().isPresent() ? request : Encoding.sized(request, stages, pictures);
  }

  @Override
  public StepPlan plan(StepPlan plan, FamilyRules rules) {
    return rules.imageToImage(plan, options.strength());
  }

  @Override
  public Start begin(Context context) {
    Encoding.requireSteps(context.run(), options.strength());
    GenerationRequest request = context.request();
    InpaintScene scene =
        InpaintScene.of(this, request.width().orElseThrow(), request.height().orElseThrow());
    boolean blends = context.stages().denoiser().extraChannels() == 0;
    float[] clean = new float[0];
    LatentDistribution encoded = null;
    if (blends || options.strength() < 1) {
      encoded = Encoding.encode(context, scene.pictures());
      clean = Encoding.sample(context, encoded);
    }
    float[] noise = Encoding.draw(context);
    float[] cells = scene.cells(context.codec().factor());
    refill(clean, noise, cells, context);
    float[] x = first(context, clean, noise);
    if (blends) {
      Encoding.skip(context, encoded); // the reference encodes the masked picture here too
      return new InpaintStart.Blending(scene, x, clean, noise, cells);
    }
    ImageTensor masked = scene.masked();
    float[] known = Encoding.sample(context, Encoding.encode(context, masked));
    return new InpaintStart.Seeing(scene, x, known, cells, context.shape());
  }

  private float[] first(Context context, float[] clean, float[] noise) {
    if (options.strength() < 1) {
      return Encoding.noised(context, clean, noise);
    }
    float[] x = noise.clone();
    float sigma = (float) context.run().initNoiseSigma();
    for (int i = 0; i < x.length; i++) {
      x[i] *= sigma;
    }
    return x;
  }

  /** Changes the clean latents under the mask. */
  private void refill(float[] clean, float[] noise, float[] cells, Context context) {
    if (options.fill() != Fill.NOISE && options.fill() != Fill.NOTHING) {
      return;
    }
    for (int i = 0; i < clean.length; i++) {
      float cell = cells[i % cells.length];
      float under = options.fill() == Fill.NOISE ? noise[i] : 0f;
      clean[i] = (1 - cell) * clean[i] + cell * under;
    }
  }

  @Override
  public Map<String, Object> description() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("task", "inpaint");
    all.put("strength", options.strength());
    all.put("fill", options.fill().name().toLowerCase(java.util.Locale.ROOT));
    options.crop().ifPresent(crop -> all.put("padding_mask_crop", crop));
    return all;
  }
}
