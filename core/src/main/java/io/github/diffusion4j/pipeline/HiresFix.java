package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.LatentsToImage;
import io.github.diffusion4j.task.Pictures;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Large pictures from a model that was trained on small ones: painted at the request's size,
 * enlarged, and painted on from there. Both passes have the request's seeds, steps and solver.
 *
 * @param scale how many times wider and higher, above 1; the size is cut to the model's multiple
 * @param strength share of the steps that the second pass takes, above 0 to 1
 * @param enlarging what is enlarged between the passes
 */
public record HiresFix(double scale, double strength, Enlarging enlarging) {

  /** Largest scale. */
  public static final double MAX_SCALE = 16;

  /** What is enlarged between the passes. */
  public enum Enlarging {
    /** Latents, linearly: no encoder needed, but blurred, so strengths from about 0.5. */
    LATENTS,
    /** Pixels, by Lanczos: needs the model's encoder, keeps the picture at lower strengths. */
    PIXELS
  }

  /** Checks the ranges. */
  public HiresFix {
    requireNonNull(enlarging, "enlarging");
    if (!(scale > 1 && scale <= MAX_SCALE)) {
      throw new IllegalArgumentException(
          "scale must be above 1 and at most " + MAX_SCALE + ", got " + scale);
    }
    if (!(strength > 0 && strength <= 1)) {
      throw new IllegalArgumentException("strength must be above 0 and at most 1, got " + strength);
    }
  }

  /**
   * Paints both passes.
   *
   * @param pipeline the model
   * @param request at the small size
   * @return the large pictures
   */
  public GenerationResult generate(StableDiffusionPipeline pipeline, GenerationRequest request) {
    return generate(pipeline, request, StepListener.NONE, new CancelToken());
  }

  /**
   * Paints both passes, telling a listener of the steps of both.
   *
   * @param pipeline the model
   * @param request at the small size
   * @param listener hears of the first pass, then of the second
   * @param cancel stops either pass
   * @return the large pictures
   */
  public GenerationResult generate(
      StableDiffusionPipeline pipeline,
      GenerationRequest request,
      StepListener listener,
      CancelToken cancel) {
    GenerationRequest small =
        request.init().prepare(request, pipeline.stages()).resolve(pipeline.facts());
    int factor = pipeline.stages().codec().factor();
    int multiple = pipeline.stages().sizeMultiple();
    int width = (int) (small.width().orElseThrow() * scale) / multiple * multiple;
    int height = (int) (small.height().orElseThrow() * scale) / multiple * multiple;
    StepPlan.Start start = new StepPlan.Start.Strength(strength);
    Init second =
        enlarging == Enlarging.PIXELS
            ? new ImageToImage(
                pixels(pipeline.generate(small, listener, cancel), width, height), start)
            : latents(
                pipeline.denoise(small, listener, cancel), width / factor, height / factor, start);
    return pipeline.generate(
        small.toBuilder().size(width, height).init(second).build(), listener, cancel);
  }

  private static Pictures pixels(GenerationResult result, int width, int height) {
    List<BufferedImage> images =
        result.images().stream()
            .map(image -> Resampling.LANCZOS.resize(image, width, height))
            .toList();
    return Pictures.of(images);
  }

  private static LatentsToImage latents(
      Painting.Denoised small, int width, int height, StepPlan.Start start) {
    LatentShape shape = small.shape();
    float[] large = new float[Math.multiplyExact(shape.batch() * shape.channels(), width * height)];
    for (int plane = 0; plane < shape.batch() * shape.channels(); plane++) {
      enlarge(small.latents(), plane, shape, large, width, height);
    }
    return new LatentsToImage(Floats.of(large), start);
  }

  /** Linear between the cells' centres, the outermost cells going on beyond theirs. */
  private static void enlarge(
      float[] from, int plane, LatentShape shape, float[] to, int width, int height) {
    int at = plane * shape.height() * shape.width();
    for (int y = 0; y < height; y++) {
      double row = place(y, height, shape.height());
      int top = (int) row;
      int bottom = Math.min(shape.height() - 1, top + 1);
      float down = (float) (row - top);
      for (int x = 0; x < width; x++) {
        double column = place(x, width, shape.width());
        int left = (int) column;
        int right = Math.min(shape.width() - 1, left + 1);
        float across = (float) (column - left);
        float upper =
            mix(
                from[at + top * shape.width() + left],
                from[at + top * shape.width() + right],
                across);
        float lower =
            mix(
                from[at + bottom * shape.width() + left],
                from[at + bottom * shape.width() + right],
                across);
        to[(plane * height + y) * width + x] = mix(upper, lower, down);
      }
    }
  }

  private static double place(int index, int size, int fromSize) {
    return Math.max(0, Math.min(fromSize - 1.0, (index + 0.5) * fromSize / size - 0.5));
  }

  private static float mix(float a, float b, float share) {
    return a + share * (b - a);
  }
}
