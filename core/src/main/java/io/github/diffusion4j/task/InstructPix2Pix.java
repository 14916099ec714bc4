package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.image.Resampling;
import java.util.List;
import java.util.Map;

/**
 * Changes a picture as the prompt says, such as "make it winter" (Brooks et al. 2022, arXiv
 * 2211.09800). Needs a model made for it, whose denoiser sees the picture's latents beside its own.
 *
 * @param pictures one for all, one for each prompt, or one for each image
 * @param imageGuidanceScale how far to keep to the picture; below 1 there is no guidance at all, as
 *     with a guidance scale of at most 1
 */
public record InstructPix2Pix(Pictures pictures, double imageGuidanceScale) implements Init {

  /** Image guidance scale of the reference. */
  public static final double DEFAULT_IMAGE_GUIDANCE_SCALE = 1.5;

  /** Checks that the scale is a number. */
  public InstructPix2Pix {
    requireNonNull(pictures, "pictures");
    if (!Double.isFinite(imageGuidanceScale)) {
      throw new IllegalArgumentException(
          "image guidance scale must be a finite number, got " + imageGuidanceScale);
    }
  }

  @Override
  public GenerationRequest prepare(GenerationRequest request, Stages stages) {
    Init.requireExtraChannels(stages, stages.codec().latentChannels());
    Encoding.requireEncoder(stages);
    GenerationRequest sized = Encoding.sized(request, stages, pictures);
    return imageGuidanceScale < 1 ? sized.toBuilder().guidanceScale(1).build() : sized;
  }

  @Override
  public Guidance guidance(Guidance guidance) {
    if (guidance instanceof Guidance.Composed) {
      throw new IllegalArgumentException(
          "instructions cannot be joined by AND or weighted as a whole; give one instruction");
    }
    if (!(guidance instanceof Guidance.ClassifierFree free)) {
      return guidance;
    }
    if (!free.method().equals(GuidanceMethod.STANDARD)) {
      throw new IllegalArgumentException(
          "instructions are guided by the standard method only, got " + free.method());
    }
    return new Guidance.TextAndImage(free.scale(), imageGuidanceScale, free.timing());
  }

  @Override
  public Start begin(Context context) {
    int width = context.request().width().orElseThrow();
    int height = context.request().height().orElseThrow();
    LatentDistribution encoded =
        Encoding.encode(context, pictures.tensor(width, height, Resampling.LANCZOS));
    float[] x = Encoding.draw(context);
    float sigma = (float) context.run().initNoiseSigma();
    for (int i = 0; i < x.length; i++) {
      x[i] *= sigma;
    }
    return new Instructed(x, encoded.repeat(context.shape().batch()).mode(), context.shape());
  }

  @Override
  public Map<String, Object> description() {
    return Map.of("task", "instruction", "image_guidance_scale", imageGuidanceScale);
  }

  /** The picture's latents, unscaled, beside the denoiser's own; none in the first branch. */
  private record Instructed(float[] latents, float[] image, LatentShape shape) implements Start {

    @Override
    public Conditioning condition(Conditioning prompts) {
      boolean guided = prompts.branches() > 1;
      Conditioning branches = guided ? prompts.withBranches(0, 0, 1) : prompts;
      float[] channels = new float[branches.branches() * image.length];
      for (int branch = guided ? 1 : 0; branch < branches.branches(); branch++) {
        System.arraycopy(image, 0, channels, branch * image.length, image.length);
      }
      return branches.with(
          new Conditioning.Input(
              Conditioning.EXTRA_CHANNELS,
              channels,
              List.of(shape.channels(), shape.height(), shape.width())));
    }
  }
}
