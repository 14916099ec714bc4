package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** How the denoiser's outputs for several conditionings become one. Immutable. */
public sealed interface Guidance {

  /**
   * How many conditionings there are.
   *
   * @return 1, 2 with a negative branch, or more with several prompts or one for the picture
   */
  int branches();

  /**
   * How many branches the denoiser is asked for at each evaluation: the last ones, of which the
   * prompt's is the last.
   *
   * @param evaluations of the generation
   * @return for each evaluation {@link #branches()}, 1, or 0 where nothing is asked for
   */
  List<Integer> branches(int evaluations);

  /**
   * Begins a generation.
   *
   * @param evaluations of the generation
   * @param shape of one branch
   * @return what combines the branches
   */
  GuidanceRun start(int evaluations, LatentShape shape);

  /**
   * Guidance as diffusers takes it: off unless the scale is above 1.
   *
   * @param scale guidance scale, finite
   * @param rescale guidance rescale, 0 to 1
   * @return {@link None} or {@link ClassifierFree}
   */
  static Guidance of(double scale, double rescale) {
    return of(GuidanceOptions.DEFAULT.withScale(scale).withRescale(rescale));
  }

  /**
   * Guidance by a negative prompt, off unless the scale is above 1.
   *
   * @param options with a scale
   * @return {@link None} or {@link ClassifierFree}
   */
  static Guidance of(GuidanceOptions options) {
    double scale = options.scale().orElseThrow();
    return scale > 1
        ? new ClassifierFree(scale, options.rescale(), options.method(), options.timing())
        : new None();
  }

  /** The prompt's branch alone. */
  record None() implements Guidance {
    @Override
    public int branches() {
      return 1;
    }

    @Override
    public List<Integer> branches(int evaluations) {
      return Collections.nCopies(evaluations, 1);
    }

    @Override
    public GuidanceRun start(int evaluations, LatentShape shape) {
      return new GuidanceRun(
          branches(evaluations), new double[evaluations], shape, (outputs, scale, dst) -> {});
    }
  }

  /**
   * Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598), with the rescaling of Lin et
   * al. 2023 (arXiv 2305.08891, section 3.4).
   *
   * @param scale how far to go from the negative branch through the prompt's, finite
   * @param rescale how much of the prompt branch's standard deviation to restore, 0 to 1
   * @param method how the two branches become one
   * @param timing which evaluations are guided, and how strongly; a scale of 1 needs no negative
   *     branch
   */
  record ClassifierFree(double scale, double rescale, GuidanceMethod method, GuidanceTiming timing)
      implements Guidance {

    /** Checks the ranges. */
    public ClassifierFree {
      NamedNumbers.requireFinite("guidance scale", scale);
      if (!(rescale >= 0 && rescale <= 1)) {
        throw new IllegalArgumentException("guidance rescale must be in [0, 1], got " + rescale);
      }
      requireNonNull(method, "method");
      requireNonNull(timing, "timing");
    }

    /**
     * The usual method, all the time.
     *
     * @param scale guidance scale, finite
     * @param rescale 0 to 1
     */
    public ClassifierFree(double scale, double rescale) {
      this(scale, rescale, GuidanceMethod.STANDARD, GuidanceTiming.CONSTANT);
    }

    @Override
    public int branches() {
      return 2;
    }

    @Override
    public List<Integer> branches(int evaluations) {
      double[] scales = timing.scales(scale, evaluations);
      return IntStream.range(0, evaluations)
          .mapToObj(i -> i < method.zeroEvaluations() ? 0 : scales[i] == 1 ? 1 : 2)
          .toList();
    }

    @Override
    public GuidanceRun start(int evaluations, LatentShape shape) {
      BranchCombiner combiner = method.start(shape);
      return new GuidanceRun(
          branches(evaluations),
          timing.scales(scale, evaluations),
          shape,
          rescale == 0 ? combiner : rescaled(combiner, shape));
    }

    private BranchCombiner rescaled(BranchCombiner combiner, LatentShape shape) {
      return (outputs, now, dst) -> {
        combiner.combine(outputs, now, dst);
        int size = shape.elements();
        for (int from = 0; from < shape.total(); from += size) {
          double deviation = BranchVectors.deviation(dst, from, size);
          if (deviation > 0) {
            double prompt = BranchVectors.deviation(outputs, shape.total() + from, size);
            float factor = (float) (rescale * (prompt / deviation) + (1 - rescale));
            BranchVectors.multiply(dst, from, size, factor);
          }
        }
      };
    }
  }

  /**
   * Guidance by an instruction and by the picture it changes (Brooks et al. 2022, arXiv 2211.09800,
   * section 3.2.1). Branches: neither; the picture alone; picture and instruction.
   *
   * @param scale how far to follow the instruction, finite
   * @param imageScale how far to keep to the picture, finite
   * @param timing which evaluations are guided, and how the instruction's scale changes; beside the
   *     interval only the last branch is asked for
   */
  record TextAndImage(double scale, double imageScale, GuidanceTiming timing) implements Guidance {

    /** Checks the ranges. */
    public TextAndImage {
      NamedNumbers.requireFinite("guidance scale", scale);
      NamedNumbers.requireFinite("image guidance scale", imageScale);
      requireNonNull(timing, "timing");
    }

    /**
     * The same all the time.
     *
     * @param scale how far to follow the instruction, finite
     * @param imageScale how far to keep to the picture, finite
     */
    public TextAndImage(double scale, double imageScale) {
      this(scale, imageScale, GuidanceTiming.CONSTANT);
    }

    @Override
    public int branches() {
      return 3;
    }

    @Override
    public List<Integer> branches(int evaluations) {
      return timing.interval().branches(3, evaluations);
    }

    @Override
    public GuidanceRun start(int evaluations, LatentShape shape) {
      return new GuidanceRun(
          branches(evaluations),
          timing.scales(scale, evaluations),
          shape,
          (outputs, now, dst) -> combine(outputs, now, dst, shape.total()));
    }

    private void combine(float[] outputs, double now, float[] dst, int total) {
      float text = (float) now;
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
   * @param schedule how the scale changes over the evaluations
   */
  record Composed(double scale, List<List<Double>> weights, GuidanceSchedule schedule)
      implements Guidance {

    /** Checks the ranges and copies the lists. */
    public Composed {
      weights = weights.stream().map(List::copyOf).toList();
      requireNonNull(schedule, "schedule");
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

    /**
     * The same scale all the time.
     *
     * @param scale guidance scale, finite
     * @param weights for each prompt's branch its weight in each image, finite
     */
    public Composed(double scale, List<List<Double>> weights) {
      this(scale, weights, GuidanceSchedule.CONSTANT);
    }

    @Override
    public int branches() {
      return 1 + weights.size();
    }

    @Override
    public List<Integer> branches(int evaluations) {
      return Collections.nCopies(evaluations, branches());
    }

    @Override
    public GuidanceRun start(int evaluations, LatentShape shape) {
      double[][] ofBranches =
          weights.stream()
              .map(row -> row.stream().mapToDouble(Double::doubleValue).toArray())
              .toArray(double[][]::new);
      return new GuidanceRun(
          branches(evaluations),
          new GuidanceTiming(GuidanceInterval.ALWAYS, schedule).scales(scale, evaluations),
          shape,
          (outputs, now, dst) -> combine(outputs, now, dst, shape, ofBranches));
    }

    private static void combine(
        float[] outputs, double now, float[] dst, LatentShape shape, double[]... weights) {
      int total = shape.total();
      System.arraycopy(outputs, 0, dst, 0, total);
      for (int branch = 1; branch <= weights.length; branch++) {
        for (int image = 0; image < shape.batch(); image++) {
          float factor = (float) (now * weights[branch - 1][image]);
          int from = image * shape.elements();
          for (int i = from; i < from + shape.elements(); i++) {
            dst[i] += factor * (outputs[branch * total + i] - outputs[i]);
          }
        }
      }
    }
  }
}
