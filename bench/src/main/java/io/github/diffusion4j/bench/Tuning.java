package io.github.diffusion4j.bench;

import io.github.diffusion4j.RuntimeOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Session options as one benchmark parameter: {@value #DEFAULT}, or {@code NAME=VALUE} joined by
 * {@code +}, such as {@code arena=false+spinning=false}. A name with a dot is one of ONNX Runtime's
 * own keys.
 */
final class Tuning {

  /** The library's defaults. */
  static final String DEFAULT = "default";

  private static final Map<String, BiConsumer<RuntimeOptions.Builder, String>> NAMED =
      new TreeMap<>(
          Map.of(
              "arena", (options, value) -> options.memoryArena(flag(value)),
              "cache", (options, value) -> options.optimizedModelCache(Path.of(value)),
              "deterministic", (options, value) -> options.deterministic(flag(value)),
              "inter-op", (options, value) -> options.interOpThreads(Integer.parseInt(value)),
              "optimization", (options, value) -> options.optimization(level(value)),
              "pattern", (options, value) -> options.memoryPattern(flag(value)),
              "spinning", (options, value) -> options.spinning(flag(value))));

  private Tuning() {}

  /** Sets what the parameter says. */
  static RuntimeOptions.Builder apply(String tuning, RuntimeOptions.Builder options) {
    if (tuning.equals(DEFAULT)) {
      return options;
    }
    for (String setting : tuning.split("\\+")) {
      int equals = setting.indexOf('=');
      String name = setting.substring(0, Math.max(0, equals));
      String value = setting.substring(equals + 1);
      if (name.contains(".")) {
        options.sessionConfig(name, value);
      } else if (NAMED.containsKey(name)) {
        NAMED.get(name).accept(options, value);
      } else {
        throw new IllegalArgumentException(
            "tuning must be %s or NAME=VALUE joined by +, of %s or ONNX Runtime's keys, got %s"
                .formatted(DEFAULT, NAMED.keySet(), setting));
      }
    }
    return options;
  }

  private static boolean flag(String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException("must be true or false, got " + value);
    };
  }

  private static RuntimeOptions.Optimization level(String value) {
    return RuntimeOptions.Optimization.valueOf(value.toUpperCase(Locale.ROOT));
  }
}
