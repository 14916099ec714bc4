package io.github.diffusion4j.scheduler;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a name means: a class of the reference, and options that the name implies.
 *
 * @param className diffusers' name of the class
 * @param options options that the name sets over a configuration
 */
record SchedulerName(String className, Map<String, Object> options) {

  /** What Stable Diffusion 1 and 2 models say in their scheduler_config.json. */
  private static final Map<String, Object> STABLE_DIFFUSION =
      Map.of(
          "num_train_timesteps",
          1000,
          "beta_start",
          0.00085,
          "beta_end",
          0.012,
          "beta_schedule",
          "scaled_linear",
          "prediction_type",
          "epsilon",
          "steps_offset",
          1,
          "set_alpha_to_one",
          false,
          "clip_sample",
          false,
          "skip_prk_steps",
          true);

  /** Classes for models of another kind, which these options would not fit. */
  private static final Set<String> OTHER_MODELS =
      Set.of(
          "UnCLIPScheduler",
          "SCMScheduler",
          "CogVideoXDDIMScheduler",
          "CogVideoXDPMScheduler",
          "EDMEulerScheduler",
          "EDMDPMSolverMultistepScheduler");

  /** Classes that step as another does, only for whole batches at once. */
  private static final Map<String, String> SAME_STEPS =
      Map.of("DDIMParallelScheduler", "DDIMScheduler", "DDPMParallelScheduler", "DDPMScheduler");

  private static final Map<String, Object> SDE = Map.of("algorithm_type", "sde-dpmsolver++");

  private static final Map<String, SchedulerName> SOLVERS = new LinkedHashMap<>();
  private static final Map<String, String> ALIASES = new LinkedHashMap<>();
  private static final Map<String, SigmaSpacing> SPACINGS = new LinkedHashMap<>();

  static {
    solver("ddim", "DDIMScheduler", Map.of());
    solver("ddpm", "DDPMScheduler", Map.of());
    solver("pndm", "PNDMScheduler", Map.of(), "plms");
    solver("ipndm", "IPNDMScheduler", Map.of());
    solver("lms", "LMSDiscreteScheduler", Map.of());
    solver("euler", "EulerDiscreteScheduler", Map.of());
    solver("euler-a", "EulerAncestralDiscreteScheduler", Map.of(), "euler ancestral");
    solver("heun", "HeunDiscreteScheduler", Map.of());
    solver("dpm2", "KDPM2DiscreteScheduler", Map.of(), "kdpm2");
    solver("dpm2-a", "KDPM2AncestralDiscreteScheduler", Map.of(), "kdpm2 ancestral", "kdpm2-a");
    solver("dpm++2m", "DPMSolverMultistepScheduler", Map.of(), "dpmpp 2m", "dpmsolver++");
    solver("dpm++2m-sde", "DPMSolverMultistepScheduler", SDE, "dpmpp 2m sde");
    solver(
        "dpm++2m-sde-heun",
        "DPMSolverMultistepScheduler",
        Map.of("algorithm_type", "sde-dpmsolver++", "solver_type", "heun"),
        "dpmpp 2m sde heun");
    solver(
        "dpm++3m-sde",
        "DPMSolverMultistepScheduler",
        Map.of("algorithm_type", "sde-dpmsolver++", "solver_order", 3),
        "dpmpp 3m sde");
    solver("dpm++2s", "DPMSolverSinglestepScheduler", Map.of(), "dpmpp 2s");
    solver("dpm++sde", "DPMSolverSDEScheduler", Map.of(), "dpmpp sde");
    solver("deis", "DEISMultistepScheduler", Map.of());
    solver("unipc", "UniPCMultistepScheduler", Map.of());
    solver("sa-solver", "SASolverScheduler", Map.of());
    solver("lcm", "LCMScheduler", Map.of());
    solver("tcd", "TCDScheduler", Map.of());
    solver("edm-euler", "EDMEulerScheduler", Map.of());
    solver("edm-dpm++2m", "EDMDPMSolverMultistepScheduler", Map.of());
    solver("ddim-inverse", "DDIMInverseScheduler", Map.of());
    solver("dpm++2m-inverse", "DPMSolverMultistepInverseScheduler", Map.of());
    solver("flow-euler", "FlowMatchEulerDiscreteScheduler", Map.of());
    solver("flow-heun", "FlowMatchHeunDiscreteScheduler", Map.of());
    solver("flow-lcm", "FlowMatchLCMScheduler", Map.of());
    solver("cm", "CMStochasticIterativeScheduler", Map.of());
    solver("unclip", "UnCLIPScheduler", Map.of());
    solver("scm", "SCMScheduler", Map.of());
    solver("cogvideox-ddim", "CogVideoXDDIMScheduler", Map.of());
    solver("cogvideox-dpm", "CogVideoXDPMScheduler", Map.of());
    for (SigmaSpacing spacing : SigmaSpacing.values()) {
      if (spacing != SigmaSpacing.TRAINED) {
        SPACINGS.put(plain(spacing.configName()), spacing);
      }
    }
    SPACINGS.put("alignyoursteps", SigmaSpacing.AYS_SD1);
    SPACINGS.put("alignyourstepsxl", SigmaSpacing.AYS_SDXL);
    SPACINGS.put("normal", SigmaSpacing.TRAINED);
  }

  SchedulerName {
    options = Map.copyOf(options);
  }

  static List<String> shortNames() {
    return new ArrayList<>(SOLVERS.keySet());
  }

  /** A class by its name, also of a variant that steps in the same way. */
  static SchedulerName ofClass(String className, Set<String> classes) {
    String known = SAME_STEPS.getOrDefault(className, className);
    if (classes.contains(known)) {
      return new SchedulerName(known, Map.of());
    }
    throw new IllegalArgumentException(
        "_class_name must be one of %s, got %s".formatted(String.join(", ", classes), className));
  }

  /** A class, short or display name, with or without the name of a spacing behind it. */
  static SchedulerName of(String name, Set<String> classes) {
    for (String className : classes) {
      if (plain(className).equals(plain(name))
          || plain(className).equals(plain(name) + "scheduler")) {
        return new SchedulerName(className, Map.of());
      }
    }
    String plain = plain(name);
    if (ALIASES.containsKey(plain)) {
      return SOLVERS.get(ALIASES.get(plain));
    }
    for (Map.Entry<String, SigmaSpacing> spacing : SPACINGS.entrySet()) {
      String rest = plain.substring(0, Math.max(plain.length() - spacing.getKey().length(), 0));
      if (plain.endsWith(spacing.getKey()) && ALIASES.containsKey(rest)) {
        return SOLVERS.get(ALIASES.get(rest)).spaced(spacing.getValue());
      }
    }
    throw new IllegalArgumentException(
        "scheduler must be one of %s, or one of these with one of %s behind it, or a class of"
                .formatted(String.join(", ", SOLVERS.keySet()), new TreeSet<>(SPACINGS.keySet()))
            + " diffusers, got "
            + name);
  }

  /** What models of this class's kind say in their configuration, beside its own defaults. */
  Map<String, Object> modelOptions() {
    return OTHER_MODELS.contains(className) ? Map.of() : STABLE_DIFFUSION;
  }

  /** A configuration with this name's options over it. */
  Map<String, Object> apply(Map<String, ?> config) {
    Map<String, Object> result = new LinkedHashMap<>(config);
    if (config.get("_use_default_values") instanceof List<?> defaults) {
      defaults.forEach(result::remove);
    }
    if (!options.isEmpty() && options.keySet().stream().anyMatch(SchedulerName::isSpacing)) {
      result.keySet().removeIf(SchedulerName::isSpacing);
    }
    result.putAll(options);
    return result;
  }

  private SchedulerName spaced(SigmaSpacing spacing) {
    Map<String, Object> all = new LinkedHashMap<>(options);
    if (spacing.ordinal() <= SigmaSpacing.LU.ordinal() && spacing != SigmaSpacing.TRAINED) {
      all.put(spacing.flag(), true);
    } else {
      all.put("sigma_spacing", spacing.configName());
    }
    return new SchedulerName(className, all);
  }

  private static boolean isSpacing(String key) {
    return key.equals("sigma_spacing")
        || key.equals("use_lu_lambdas")
        || (key.startsWith("use_") && key.endsWith("_sigmas") && !key.equals("use_flow_sigmas"));
  }

  private static void solver(
      String name, String className, Map<String, Object> options, String... aliases) {
    SOLVERS.put(name, new SchedulerName(className, options));
    ALIASES.put(plain(name), name);
    for (String alias : aliases) {
      ALIASES.put(plain(alias), name);
    }
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]", "");
  }
}
