package io.github.diffusion4j;

import java.util.Map;
import java.util.TreeMap;

/**
 * How the outputs of the negative branch and of the prompt's become one prediction. Immutable; what
 * a method remembers lives in the combiner of one generation. A user's own is a lambda. The
 * formulas are those of diffusers' guiders where it has them.
 */
@FunctionalInterface
public interface GuidanceMethod {

  /** From the negative branch through the prompt's. */
  GuidanceMethod STANDARD = new Standard();

  /**
   * Begins a generation.
   *
   * @param shape of one branch
   * @return combines two branches: the negative one, then the prompt's
   */
  BranchCombiner start(LatentShape shape);

  /**
   * Evaluations at the beginning for which the denoiser is not asked and the prediction is 0.
   *
   * @return 0 or more
   */
  default int zeroEvaluations() {
    return 0;
  }

  /**
   * What {@link #of} reads.
   *
   * @return a name with numbers, such as {@code cfg-zero:zero_init_steps=1.0}; {@code given} for a
   *     user's own
   */
  default String label() {
    return "given";
  }

  /**
   * Reads a method: {@code standard}, {@code apg}, {@code cfg-zero}, {@code tangential} or {@code
   * dynamic-threshold}, with numbers by name as in {@code apg:eta=0,momentum=-0.5}.
   *
   * @param text the method
   * @return its value
   * @throws IllegalArgumentException if there is no such method, or it has no such number
   */
  static GuidanceMethod of(String text) {
    NamedNumbers parsed = NamedNumbers.parse(text);
    return switch (parsed.name()) {
      case Standard.NAME -> {
        parsed.byKey(Map.of());
        yield STANDARD;
      }
      case AdaptiveProjected.NAME ->
          AdaptiveProjected.of(parsed.byKey(AdaptiveProjected.DEFAULT.numbers()));
      case ZeroStar.NAME -> ZeroStar.of(parsed.byKey(ZeroStar.DEFAULT.numbers()));
      case Tangential.NAME -> {
        parsed.byKey(Map.of());
        yield new Tangential();
      }
      case DynamicThreshold.NAME ->
          DynamicThreshold.of(parsed.byKey(DynamicThreshold.DEFAULT.numbers()));
      case "pag", "slg", "seg" ->
          throw new IllegalArgumentException(
              "guidance method "
                  + parsed.name()
                  + " changes the attention inside a network, for which exported networks have no"
                  + " input; use apg or tangential");
      default ->
          throw new IllegalArgumentException(
              "guidance method must be standard, apg, cfg-zero, tangential or dynamic-threshold,"
                  + " with numbers as in apg:eta=0,momentum=-0.5; got \""
                  + text
                  + "\"");
    };
  }

  /** From the negative branch through the prompt's (Ho and Salimans 2022, arXiv 2207.12598). */
  record Standard() implements GuidanceMethod {
    private static final String NAME = "standard";

    @Override
    public String label() {
      return NAME;
    }

    @Override
    public BranchCombiner start(LatentShape shape) {
      int total = shape.total();
      return (outputs, scale, dst) -> {
        float factor = (float) scale;
        for (int i = 0; i < total; i++) {
          float negative = outputs[i];
          dst[i] = negative + factor * (outputs[total + i] - negative);
        }
      };
    }
  }

  /**
   * Adaptive projected guidance (Sadat et al. 2024, arXiv 2410.02416): less of the part of the
   * update that points along the prompt's prediction, which is what saturates colours.
   *
   * @param eta how much of that part to keep; 1 keeps all
   * @param normThreshold longest update of an image, in the norm of its values; 0 for any length
   * @param momentum share of the earlier updates to add; negative to move away from them
   */
  record AdaptiveProjected(double eta, double normThreshold, double momentum)
      implements GuidanceMethod {

    /** The defaults of diffusers. The paper's authors like eta 0 and momentum -0.5. */
    public static final AdaptiveProjected DEFAULT = new AdaptiveProjected(1, 15, 0);

    private static final String NAME = "apg";

    /** Checks the ranges. */
    public AdaptiveProjected {
      NamedNumbers.requireFinite("eta of adaptive projected guidance", eta);
      NamedNumbers.requireFinite("norm threshold of adaptive projected guidance", normThreshold);
      if (normThreshold < 0) {
        throw new IllegalArgumentException(
            "norm threshold of adaptive projected guidance must be at least 0, got "
                + normThreshold);
      }
      if (!(momentum > -1 && momentum < 1)) {
        throw new IllegalArgumentException(
            "momentum of adaptive projected guidance must be in (-1, 1), got " + momentum);
      }
    }

    private static AdaptiveProjected of(Map<String, Double> numbers) {
      return new AdaptiveProjected(
          numbers.get("eta"), numbers.get("norm_threshold"), numbers.get("momentum"));
    }

    private Map<String, Double> numbers() {
      return new TreeMap<>(
          Map.of("eta", eta, "norm_threshold", normThreshold, "momentum", momentum));
    }

    @Override
    public String label() {
      return NamedNumbers.format(NAME, numbers());
    }

    @Override
    public BranchCombiner start(LatentShape shape) {
      return new ProjectedUpdate(this, shape);
    }
  }

  /**
   * CFG-Zero* (Fan et al. 2025, arXiv 2503.18886), for flow matching: the negative branch is first
   * scaled to fit the prompt's best, and the first steps go nowhere.
   *
   * @param zeroEvaluations evaluations at the beginning with the prediction 0
   */
  record ZeroStar(int zeroEvaluations) implements GuidanceMethod {

    /** One such evaluation, as in diffusers. */
    public static final ZeroStar DEFAULT = new ZeroStar(1);

    private static final String NAME = "cfg-zero";
    private static final String STEPS = "zero_init_steps";
    private static final double NO_ZERO_DIVISOR = 1e-8;

    /** Checks the range. */
    public ZeroStar {
      if (zeroEvaluations < 0) {
        throw new IllegalArgumentException(
            "zero steps of CFG-Zero* must be at least 0, got " + zeroEvaluations);
      }
    }

    private static ZeroStar of(Map<String, Double> numbers) {
      double steps = numbers.get(STEPS);
      if (steps != (int) steps) {
        throw new IllegalArgumentException(STEPS + " must be a whole number, got " + steps);
      }
      return new ZeroStar((int) steps);
    }

    private Map<String, Double> numbers() {
      return Map.of(STEPS, (double) zeroEvaluations);
    }

    @Override
    public String label() {
      return NamedNumbers.format(NAME, numbers());
    }

    @Override
    public BranchCombiner start(LatentShape shape) {
      int total = shape.total();
      int size = shape.elements();
      return (outputs, scale, dst) -> {
        float factor = (float) scale;
        for (int from = 0; from < total; from += size) {
          double fit = BranchVectors.dot(outputs, from, outputs, total + from, size);
          double length = BranchVectors.dot(outputs, from, outputs, from, size);
          float fitted = (float) (fit / (length + NO_ZERO_DIVISOR));
          for (int i = from; i < from + size; i++) {
            float negative = outputs[i] * fitted;
            dst[i] = negative + factor * (outputs[total + i] - negative);
          }
        }
      };
    }
  }

  /**
   * Tangential damping (Kwon et al. 2025, arXiv 2503.18137): of the negative branch only what lies
   * along the direction that both branches share most.
   */
  record Tangential() implements GuidanceMethod {
    private static final String NAME = "tangential";

    @Override
    public String label() {
      return NAME;
    }

    /**
     * With the prompt's output p and the negative one n as rows of a matrix, its first singular
     * direction is x·p + y·n, scaled, where (x, y) is the first eigenvector of the products of the
     * rows; n along it is y·(x·p + y·n).
     */
    @Override
    public BranchCombiner start(LatentShape shape) {
      int total = shape.total();
      int size = shape.elements();
      return (outputs, scale, dst) -> {
        float factor = (float) scale;
        for (int from = 0; from < total; from += size) {
          int prompt = total + from;
          double difference =
              BranchVectors.dot(outputs, prompt, outputs, prompt, size)
                  - BranchVectors.dot(outputs, from, outputs, from, size);
          double shared = 2 * BranchVectors.dot(outputs, prompt, outputs, from, size);
          double length = Math.hypot(difference, shared);
          float ofPrompt = length == 0 ? 0 : (float) (shared / length / 2);
          float ofNegative = length == 0 ? 0 : (float) ((1 - difference / length) / 2);
          for (int i = from; i < from + size; i++) {
            float positive = outputs[total + i];
            float negative = ofPrompt * positive + ofNegative * outputs[i];
            dst[i] = negative + factor * (positive - negative);
          }
        }
      };
    }
  }

  /**
   * Dynamic thresholding of the guided prediction: a high scale, with each channel spread no wider
   * than a lower scale would spread it. The method of the web UIs' extension of that name, with its
   * defaults.
   *
   * @param mimicScale the lower scale
   * @param percentile share of the guided values that count for their spread, above 0 to 1
   * @param interpolatePhi share of the result, the rest being plain guidance, 0 to 1
   */
  record DynamicThreshold(double mimicScale, double percentile, double interpolatePhi)
      implements GuidanceMethod {

    /** The spread of scale 7. */
    public static final DynamicThreshold DEFAULT = new DynamicThreshold(7, 1, 1);

    private static final String NAME = "dynamic-threshold";

    /** Checks the ranges. */
    public DynamicThreshold {
      NamedNumbers.requireFinite("mimic scale", mimicScale);
      if (!(percentile > 0 && percentile <= 1)) {
        throw new IllegalArgumentException(
            "percentile of dynamic thresholding must be in (0, 1], got " + percentile);
      }
      if (!(interpolatePhi >= 0 && interpolatePhi <= 1)) {
        throw new IllegalArgumentException(
            "interpolate phi of dynamic thresholding must be in [0, 1], got " + interpolatePhi);
      }
    }

    private static DynamicThreshold of(Map<String, Double> numbers) {
      return new DynamicThreshold(
          numbers.get("mimic_scale"), numbers.get("percentile"), numbers.get("interpolate_phi"));
    }

    private Map<String, Double> numbers() {
      return new TreeMap<>(
          Map.of(
              "mimic_scale", mimicScale,
              "percentile", percentile,
              "interpolate_phi", interpolatePhi));
    }

    @Override
    public String label() {
      return NamedNumbers.format(NAME, numbers());
    }

    @Override
    public BranchCombiner start(LatentShape shape) {
      return new MimickedSpread(this, shape);
    }
  }
}
