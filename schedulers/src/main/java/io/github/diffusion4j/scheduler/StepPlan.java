package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which steps a generation takes: how many, or exactly which, and where it starts and ends. An
 * immutable value; the withers return copies.
 */
public sealed interface StepPlan {

  /**
   * So many steps, spaced as the scheduler does it.
   *
   * @param steps number of steps, at least 1
   */
  record Count(int steps, Options options) implements StepPlan {
    public Count {
      Check.atLeast("steps", steps, 1);
      requireNonNull(options, "options");
    }

    @Override
    public Count with(Options other) {
      return new Count(steps, other);
    }
  }

  /**
   * Exactly these timesteps.
   *
   * @param timesteps in the model's units, from noise to data; at least one
   */
  record Timesteps(List<Double> timesteps, Options options) implements StepPlan {
    public Timesteps {
      timesteps = checked("timesteps", timesteps);
      requireNonNull(options, "options");
    }

    @Override
    public Timesteps with(Options other) {
      return new Timesteps(timesteps, other);
    }
  }

  /**
   * Exactly these noise levels.
   *
   * @param sigmas from noise to data, as the scheduler's {@code set_timesteps} takes them (the
   *     Euler scheduler's last one is where the last step arrives); at least one
   * @param timesteps what to tell the model at each of them, where a flow matching scheduler shall
   *     not derive it; empty: derived
   */
  record Sigmas(List<Double> sigmas, List<Double> timesteps, Options options) implements StepPlan {
    public Sigmas {
      sigmas = checked("sigmas", sigmas);
      timesteps = timesteps.isEmpty() ? List.of() : checked("timesteps", timesteps);
      requireNonNull(options, "options");
    }

    @Override
    public Sigmas with(Options other) {
      return new Sigmas(sigmas, timesteps, other);
    }
  }

  /** Where in the schedule a generation starts. */
  sealed interface Start {

    /**
     * From pure noise.
     *
     * @param placed whether the scheduler is told its place, as flow matching pipelines do, or
     *     looks it up by the first timestep; a difference only where timesteps repeat
     */
    record Noise(boolean placed) implements Start {}

    /**
     * From an image: image to image.
     *
     * @param strength share of the steps that is taken, 0 to 1
     */
    record Strength(double strength) implements Start {
      public Strength {
        Check.between("strength", strength, 0, 1);
      }
    }

    /**
     * Where another model has stopped, as a share of the training steps.
     *
     * @param share 0 (pure noise) to 1 (clean)
     */
    record Share(double share) implements Start {
      public Share {
        Check.between("denoising_start", share, 0, 1);
      }
    }

    /**
     * At a place in the list of timesteps.
     *
     * @param first index of the first timestep, from 0
     */
    record At(int first) implements Start {
      public At {
        Check.atLeast("first", first, 0);
      }
    }
  }

  /**
   * What else a plan says.
   *
   * @param start where the generation starts
   * @param denoisingEnd where it stops before the end, as a share of the training steps from 0
   *     (pure noise) to 1; empty: at the end
   * @param shift mu of flow matching's dynamic shift; empty: the scheduler's own shift
   * @param originalSteps steps that a consistency model was distilled with (LCM, TCD); empty: the
   *     scheduler's own
   * @param distilledStrength share of those steps that is used, from the data's end, above 0 to 1
   */
  record Options(
      Start start,
      OptionalDouble denoisingEnd,
      OptionalDouble shift,
      OptionalInt originalSteps,
      double distilledStrength) {

    /** From noise to the end. */
    public static final Options DEFAULT =
        new Options(
            new Start.Noise(false),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            OptionalInt.empty(),
            1);

    public Options {
      requireNonNull(start, "start");
      denoisingEnd.ifPresent(end -> Check.between("denoising_end", end, 0, 1));
      shift.ifPresent(mu -> Check.finite("mu", mu));
      originalSteps.ifPresent(steps -> Check.atLeast("original_inference_steps", steps, 1));
      Check.between("strength", distilledStrength, 0, 1);
    }
  }

  /**
   * What is said beside the steps.
   *
   * @return the options
   */
  Options options();

  /**
   * The same steps with other options.
   *
   * @param other the new options
   * @return a copy
   */
  StepPlan with(Options other);

  /**
   * So many steps.
   *
   * @param steps at least 1
   * @return the plan, from pure noise to the end
   */
  static StepPlan steps(int steps) {
    return new Count(steps, Options.DEFAULT);
  }

  /**
   * Exactly these timesteps.
   *
   * @param timesteps from noise to data
   * @return the plan
   */
  static StepPlan timesteps(double... timesteps) {
    return timesteps(Arrays.stream(timesteps).boxed().toList());
  }

  /**
   * Exactly these timesteps.
   *
   * @param timesteps from noise to data
   * @return the plan
   */
  static StepPlan timesteps(List<Double> timesteps) {
    return new Timesteps(timesteps, Options.DEFAULT);
  }

  /**
   * Exactly these noise levels.
   *
   * @param sigmas from noise to data, as the scheduler takes them
   * @return the plan
   */
  static StepPlan sigmas(double... sigmas) {
    return sigmas(Arrays.stream(sigmas).boxed().toList());
  }

  /**
   * Exactly these noise levels.
   *
   * @param sigmas from noise to data, as the scheduler takes them
   * @return the plan
   */
  static StepPlan sigmas(List<Double> sigmas) {
    return new Sigmas(sigmas, List.of(), Options.DEFAULT);
  }

  /**
   * A plan from the arguments of diffusers' {@code set_timesteps}: {@code num_inference_steps},
   * {@code timesteps}, {@code sigmas}, {@code mu}, {@code strength}, {@code
   * original_inference_steps}. Other keys are left to {@link Scheduler#with}. The number of steps
   * may be given beside timesteps only where it counts the steps between them, as in SCM.
   *
   * @param arguments names and values; null values count as missing
   * @return the plan
   * @throws IllegalArgumentException if the steps are missing or given twice
   */
  static StepPlan of(Map<String, ?> arguments) {
    ConfigReader in = new ConfigReader("set_timesteps", arguments);
    int steps = in.integer("num_inference_steps", 0);
    List<Double> timesteps = in.reals("timesteps");
    List<Double> sigmas = in.reals("sigmas");
    boolean counted = arguments.get("num_inference_steps") != null;
    if (!counted && timesteps.isEmpty() && sigmas.isEmpty()) {
      throw new IllegalArgumentException(
          "one of num_inference_steps, timesteps or sigmas must be given, got none");
    }
    if (counted && !timesteps.isEmpty() && timesteps.size() != steps + 1) {
      throw new IllegalArgumentException(
          "only one of num_inference_steps and timesteps can be given, got %d and %s"
              .formatted(steps, timesteps));
    }
    if (counted && !sigmas.isEmpty() && sigmas.size() != steps) {
      throw new IllegalArgumentException(
          "num_inference_steps must be the number of sigmas %d or left out, got %d"
              .formatted(sigmas.size(), steps));
    }
    int original = in.integer("original_inference_steps", 0);
    Options options =
        new Options(
            Options.DEFAULT.start(),
            OptionalDouble.empty(),
            in.optional("mu"),
            arguments.get("original_inference_steps") == null
                ? OptionalInt.empty()
                : OptionalInt.of(original),
            in.real("strength", 1));
    if (!sigmas.isEmpty()) {
      return new Sigmas(sigmas, timesteps, options);
    }
    return timesteps.isEmpty() ? new Count(steps, options) : new Timesteps(timesteps, options);
  }

  /** The arguments that {@link #of} reads. */
  Set<String> ARGUMENTS =
      Set.of(
          "num_inference_steps",
          "timesteps",
          "sigmas",
          "mu",
          "strength",
          "original_inference_steps");

  /**
   * Image to image: leaves out the first steps, so that {@code strength} of them are taken, rounded
   * as the reference's pipelines do it.
   *
   * @param strength 0 (nothing changes) to 1 (all steps)
   * @return a copy that starts there
   */
  default StepPlan withStrength(double strength) {
    return withStart(new Start.Strength(strength));
  }

  /**
   * Takes over where another model stopped by {@link #withDenoisingEnd}.
   *
   * @param share share of the training steps already done, 0 to 1
   * @return a copy that starts there
   */
  default StepPlan withDenoisingStart(double share) {
    return withStart(new Start.Share(share));
  }

  /**
   * Starts at a place in the list of timesteps, which the scheduler finds by the timestep there.
   *
   * @param first index of the first timestep, from 0
   * @return a copy that starts there
   */
  default StepPlan withFirstStep(int first) {
    return withStart(new Start.At(first));
  }

  /**
   * Starts from pure noise at the first place of the list, also where the first timestep repeats.
   *
   * @return a copy that starts there
   */
  default StepPlan withBegin() {
    return withStart(new Start.Noise(true));
  }

  /**
   * Starts elsewhere.
   *
   * @param start where
   * @return a copy that starts there
   */
  default StepPlan withStart(Start start) {
    Options o = options();
    return with(
        new Options(start, o.denoisingEnd(), o.shift(), o.originalSteps(), o.distilledStrength()));
  }

  /**
   * Stops before the end, for another model to go on with {@link #withDenoisingStart}.
   *
   * @param share share of the training steps to do, 0 to 1
   * @return a copy that stops there
   */
  default StepPlan withDenoisingEnd(double share) {
    Options o = options();
    return with(
        new Options(
            o.start(),
            OptionalDouble.of(share),
            o.shift(),
            o.originalSteps(),
            o.distilledStrength()));
  }

  /**
   * Sets mu, by which flow matching shifts its schedule for the size of the picture.
   *
   * @param mu see {@link DynamicShift}
   * @return a copy with it
   */
  default StepPlan withShift(double mu) {
    Options o = options();
    return with(
        new Options(
            o.start(),
            o.denoisingEnd(),
            OptionalDouble.of(mu),
            o.originalSteps(),
            o.distilledStrength()));
  }

  /**
   * Says with how many steps a consistency model was distilled (LCM, TCD).
   *
   * @param steps at least 1
   * @return a copy with it
   */
  default StepPlan withOriginalSteps(int steps) {
    Options o = options();
    return with(
        new Options(
            o.start(), o.denoisingEnd(), o.shift(), OptionalInt.of(steps), o.distilledStrength()));
  }

  /**
   * Uses only the part of a consistency model's distilled steps next to the data, then takes all of
   * the plan's steps in it: the image to image of LCM's own pipelines.
   *
   * @param strength above 0 to 1
   * @return a copy with it
   */
  default StepPlan withDistilledStrength(double strength) {
    Options o = options();
    return with(new Options(o.start(), o.denoisingEnd(), o.shift(), o.originalSteps(), strength));
  }

  private static List<Double> checked(String name, Collection<Double> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException(name + " must hold at least one value, got none");
    }
    List<Double> copy = new ArrayList<>(values);
    for (double value : copy) {
      Check.finite(name, value);
    }
    return List.copyOf(copy);
  }
}
