package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * All solvers by the names that people and files use: diffusers' class names and
 * scheduler_config.json files, short names ({@code ddim}, {@code euler-a}, {@code dpm++2m-karras})
 * and the display names of other programs ({@code DPM++ 2M Karras}).
 */
public final class Schedulers {

  private static final String CLASS_NAME = "_class_name";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final Map<String, Function<ConfigReader, Scheduler>> CLASSES =
      new LinkedHashMap<>();

  static {
    CLASSES.put(DdimScheduler.CLASS_NAME, DdimScheduler::read);
    CLASSES.put(PndmScheduler.CLASS_NAME, PndmScheduler::read);
    CLASSES.put(DdpmScheduler.CLASS_NAME, DdpmScheduler::read);
    CLASSES.put(DdimInverseScheduler.CLASS_NAME, DdimInverseScheduler::read);
    CLASSES.put(UnClipScheduler.CLASS_NAME, UnClipScheduler::read);
    CLASSES.put(Kdpm2Scheduler.CLASS_NAME, Kdpm2Scheduler::read);
    CLASSES.put(Kdpm2AncestralScheduler.CLASS_NAME, Kdpm2AncestralScheduler::read);
    CLASSES.put(DpmSolverSdeScheduler.CLASS_NAME, DpmSolverSdeScheduler::read);
    CLASSES.put(DpmSolverSinglestepScheduler.CLASS_NAME, DpmSolverSinglestepScheduler::read);
    CLASSES.put(DeisScheduler.CLASS_NAME, DeisScheduler::read);
    CLASSES.put(
        DpmSolverMultistepInverseScheduler.CLASS_NAME, DpmSolverMultistepInverseScheduler::read);
    CLASSES.put(SaSolverScheduler.CLASS_NAME, SaSolverScheduler::read);
    CLASSES.put(EdmEulerScheduler.CLASS_NAME, EdmEulerScheduler::read);
    CLASSES.put(EdmDpmSolverMultistepScheduler.CLASS_NAME, EdmDpmSolverMultistepScheduler::read);
    CLASSES.put(TcdScheduler.CLASS_NAME, TcdScheduler::read);
    CLASSES.put(ConsistencyScheduler.CLASS_NAME, ConsistencyScheduler::read);
    CLASSES.put(ScmScheduler.CLASS_NAME, ScmScheduler::read);
    CLASSES.put(CogVideoDdimScheduler.CLASS_NAME, CogVideoDdimScheduler::read);
    CLASSES.put(CogVideoDpmScheduler.CLASS_NAME, CogVideoDpmScheduler::read);
    CLASSES.put(IpndmScheduler.CLASS_NAME, IpndmScheduler::read);
    CLASSES.put(EulerScheduler.CLASS_NAME, EulerScheduler::read);
    CLASSES.put(EulerAncestralScheduler.CLASS_NAME, EulerAncestralScheduler::read);
    CLASSES.put(LmsScheduler.CLASS_NAME, LmsScheduler::read);
    CLASSES.put(HeunScheduler.CLASS_NAME, HeunScheduler::read);
    CLASSES.put(DpmSolverMultistepScheduler.CLASS_NAME, DpmSolverMultistepScheduler::read);
    CLASSES.put(UniPcScheduler.CLASS_NAME, UniPcScheduler::read);
    CLASSES.put(LcmScheduler.CLASS_NAME, LcmScheduler::read);
    CLASSES.put(FlowMatchEulerScheduler.CLASS_NAME, FlowMatchEulerScheduler::read);
    CLASSES.put(FlowMatchHeunScheduler.CLASS_NAME, FlowMatchHeunScheduler::read);
    CLASSES.put(FlowMatchLcmScheduler.CLASS_NAME, FlowMatchLcmScheduler::read);
  }

  private Schedulers() {}

  /**
   * The solver that a configuration names.
   *
   * @param config a parsed scheduler_config.json; keys that the class does not know are ignored
   * @return the solver
   * @throws IllegalArgumentException if the class or a value is unknown
   */
  public static Scheduler fromConfig(Map<String, ?> config) {
    Object name = config.get(CLASS_NAME);
    if (name == null) {
      throw new IllegalArgumentException(
          "a scheduler configuration must have _class_name, got only " + config.keySet());
    }
    return read(SchedulerName.ofClass(name.toString(), CLASSES.keySet()), config);
  }

  /**
   * The solver that a file names.
   *
   * @param file a scheduler_config.json
   * @return the solver
   * @throws IOException if the file cannot be read or is not JSON
   * @throws IllegalArgumentException if the class or a value is unknown
   */
  public static Scheduler fromConfig(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return fromConfig(in);
    } catch (JsonProcessingException e) {
      throw new IOException(
          file + " is not a scheduler configuration in JSON: " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * The solver that a stream names.
   *
   * @param in a scheduler_config.json, not closed
   * @return the solver
   * @throws IOException if the stream cannot be read or is not JSON
   * @throws IllegalArgumentException if the class or a value is unknown
   */
  public static Scheduler fromConfig(InputStream in) throws IOException {
    return fromConfig(parse(in));
  }

  /**
   * Another solver with the same configuration, as diffusers' {@code Other.from_config(config)}:
   * what both classes know is taken over, the rest has the other's defaults.
   *
   * @param config a parsed scheduler_config.json
   * @param name the other solver: a class, short or display name; a name such as {@code
   *     dpm++2m-karras} sets options too
   * @return the other solver
   * @throws IllegalArgumentException if the name or a value is unknown
   */
  public static Scheduler fromConfig(Map<String, ?> config, String name) {
    return read(SchedulerName.of(name, CLASSES.keySet()), config);
  }

  /**
   * A solver for Stable Diffusion 1 and 2 models that predict noise; solvers for models of another
   * kind have their own defaults.
   *
   * @param name a class, short or display name
   * @return the solver with the options of these models
   * @throws IllegalArgumentException if the name is unknown
   */
  public static Scheduler named(String name) {
    SchedulerName found = SchedulerName.of(name, CLASSES.keySet());
    return read(found, found.modelOptions());
  }

  /**
   * The configuration of a solver, for a scheduler_config.json that diffusers can load.
   *
   * @param scheduler one of this library's solvers
   * @return keys and values, beginning with {@code _class_name}
   * @throws IllegalArgumentException if diffusers has no such solver
   */
  public static Map<String, Object> toConfig(Scheduler scheduler) {
    Map<String, Object> config = scheduler.toConfig();
    if (config.isEmpty()) {
      throw new IllegalArgumentException(
          "diffusers has no counterpart of " + scheduler.getClass().getName());
    }
    return config;
  }

  /**
   * The configuration of a solver as text.
   *
   * @param scheduler one of this library's solvers
   * @return the content of a scheduler_config.json
   * @throws IllegalArgumentException if diffusers has no such solver
   */
  public static String toJson(Scheduler scheduler) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(toConfig(scheduler));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration is always JSON", e);
    }
  }

  /**
   * Keys of a configuration that the class it names does not know, and that are ignored.
   *
   * @param config a parsed scheduler_config.json
   * @return the keys, sorted; without those that begin with an underscore
   * @throws IllegalArgumentException if the class or a value is unknown
   */
  public static Set<String> unknownKeys(Map<String, ?> config) {
    Set<String> unknown = new TreeSet<>(config.keySet());
    unknown.removeAll(fromConfig(config).toConfig().keySet());
    unknown.removeIf(key -> key.startsWith("_"));
    return unknown;
  }

  /**
   * One of each solver class, with the class's own defaults.
   *
   * @return the solvers by diffusers' class name
   */
  public static Map<String, Scheduler> all() {
    Map<String, Scheduler> all = new LinkedHashMap<>();
    CLASSES.keySet().forEach(name -> all.put(name, fromConfig(Map.of(CLASS_NAME, name))));
    return all;
  }

  /**
   * The short names that {@link #named} knows, without the class and display names.
   *
   * @return names, in the order to be shown
   */
  public static List<String> names() {
    return SchedulerName.shortNames();
  }

  /** Parses a scheduler_config.json, which may hold the literal -Infinity. */
  static Map<String, Object> parse(InputStream in) throws IOException {
    return JSON.readValue(requireNonNull(in, "in"), new TypeReference<>() {});
  }

  private static Scheduler read(SchedulerName name, Map<String, ?> config) {
    ConfigReader in = new ConfigReader(name.className(), name.apply(config));
    Scheduler scheduler = CLASSES.get(name.className()).apply(in);
    for (String option : name.options().keySet()) {
      if (!in.asked().contains(option)) {
        throw new IllegalArgumentException(
            "%s has no option %s, which the scheduler's name asks for"
                .formatted(name.className(), option));
      }
    }
    return scheduler;
  }
}
