package io.github.diffusion4j;

import io.github.diffusion4j.scheduler.SampleShape;
import java.util.List;

/** How the denoiser's outputs for several conditionings become one. Immutable. */
public sealed interface Guidance {

  /**
   * How many conditionings the denoiser is asked for.
   *
   * @return 1, 2 with a negative branch, or more with several prompts or one for the picture
   */
  int branches();

  /**
   * Combines the outputs of all branches.
   *
   * @param outputs branches one after the other, the negative one first
   * @param shape of one branch
   * @param dst overwritten; one branch's values; may be {@code outputs} where there is one branch
   */
  void combine(float[] outputs, SampleShape shape, float[] dst);

  /**
   * Guidance as diffusers takes it: off unless the scale is above 1.
   *
   * @param scale guidance scale, finite
   * @param rescale guidance rescale, 0 to 1
   * @return {@link None} or {@link ClassifierFree}
   */
  static Guidance of(double scale, double rescale) {
    return scale > 1 ? new ClassifierFree(scale, rescale) : new None();
  }

  /** The prompt's branch alone. */
  record None() implements Guidance {
    @Override
    public int branches() {
      return 1;
    }

    @Override
    public void combine(float[] outputs, SampleShape shape, float[] dst) {
      if (dst != outputs) {
        System.arraycopy(outputs, 0, dst, 0, shape.total());
      }
    }
  }

  /**
   * Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598), with the rescaling of Lin et
   * al. 2023 (arXiv 2305.08891, section 3.4).
   *
   * @param scale how far to go from the negative branch through the prompt's, finite
   * @param rescale how much of the prompt branch's standard deviation to restore, 0 to 1
   */
  record ClassifierFree(double scale, double rescale) implements Guidance {

    /** Checks the ranges. */
    public ClassifierFree {
      if (!Double.isFinite(scale)) {
        throw new IllegalArgumentException("guidance scale must be a finite number, got " + scale);
      }
      if (!(rescale >= 0 && rescale <= 1)) {
        throw new IllegalArgumentException("guidance rescale must be in [0, 1], got " + rescale);
      }
    }

    @Override
    public int branches() {
      return 2;
    }

    @Override
    public void combine(float[] outputs, SampleShape shape, float[] dst) {
      int total = shape.total();
      float factor = (float) scale;
      for (int i = 0; i < total; i++) {
        float negative = outputs[i];
        dst[i] = negative + factor * (outputs[total + i] - negative);
      }
      if (rescale > 0) {
        for (int image = 0; image < shape.batch(); image++) {
          int from = image * shape.elements();
          rescale(outputs, total + from, dst, from, shape.elements());
        }
      }
    }

    private void rescale(float[] prompt, int promptFrom, float[] dst, int from, int count) {
      double ratio = deviation(prompt, promptFrom, count) / deviation(dst, from, count);
      float factor = (float) (rescale * ratio + (1 - rescale));
      for (int i = from; i < from + count; i++) {
        dst[i] *= factor;
      }
    }

    private static double deviation(float[] values, int from, int count) {
      double sum = 0;
      for (int i = from; i < from + count; i++) {
        sum += values[i];
      }
      double mean = sum / count;
      double squares = 0;
      for (int i = from; i < from + count; i++) {
        double d = values[i] - mean;
        squares += d * d;
      }
      return Math.sqrt(squares / Math.max(1, count - 1));
    }
  }

  /**
   * Guidance by an instruction and by the picture it changes (Brooks et al. 2022, arXiv 2211.09800,
   * section 3.2.1). Branches: neither; the picture alone; picture and instruction.
   *
   * @param scale how far to follow the instruction, finite
   * @param imageScale how far to keep to the picture, finite
   */
  record TextAndImage(double scale, double imageScale) implements Guidance {

    /** Checks the ranges. */
    public TextAndImage {
      if (!Double.isFinite(scale) || !Double.isFinite(imageScale)) {
        throw new IllegalArgumentException(
            "guidance scales must be finite numbers, got " + scale + " and " + imageScale);
      }
    }

    @Override
    public int branches() {
      return 3;
    }

    @Override
    public void combine(float[] outputs, SampleShape shape, float[] dst) {
      int total = shape.total();
      float text = (float) scale;
      float image = (float) imageScale;
      for (int i = 0; i < total; i++) {
        float neither = outputs[i];
        float pictured = outputs[total + i];
        dst[i] =
            neither + text * (outputs[2 * total + i] - pictured) + image * (pictured - neither);
      }
    }
  }

  /**
   * Guidance by several prompts at once (Liu et al. 2022, arXiv 2206.01714): what the web UI's word
   * AND means. The negative branch first, then one branch for each prompt.
   *
   * @param scale guidance scale, finite
   * @param weights for each prompt's branch its weight in each image, finite
   */
  record Composed(double scale, List<List<Double>> weights) implements Guidance {

    /** Checks the ranges and copies the lists. */
    public Composed {
      weights = weights.stream().map(List::copyOf).toList();
      if (weights.isEmpty() || weights.stream().mapToInt(List::size).distinct().count() != 1) {
        throw new IllegalArgumentException(
            "weights must be of one prompt or more, each with one for each image, got " + weights);
      }
      if (!Double.isFinite(scale)
          || !weights.stream().flatMap(List::stream).allMatch(Double::isFinite)) {
        throw new IllegalArgumentException(
            "guidance scale and weights must be finite numbers, got %s and %s"
                .formatted(scale, weights));
      }
    }

    @Override
    public int branches() {
      return 1 + weights.size();
    }

    @Override
    public void combine(float[] outputs, SampleShape shape, float[] dst) {
      int total = shape.total();
      System.arraycopy(outputs, 0, dst, 0, total);
      for (int branch = 1; branch <= weights.size(); branch++) {
        List<Double> ofImages = weights.get(branch - 1);
        for (int image = 0; image < shape.batch(); image++) {
          float factor = (float) (scale * ofImages.get(image));
          int from = image * shape.elements();
          for (int i = from; i < from + shape.elements(); i++) {
            dst[i] += factor * (outputs[branch * total + i] - outputs[i]);
          }
        }
      }
    }
  }
}
