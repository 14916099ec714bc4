package io.github.diffusion4j.scheduler;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Collects the keys and values of a scheduler_config.json. */
final class ConfigWriter {

  private final Map<String, Object> values = new LinkedHashMap<>();

  ConfigWriter(String className) {
    values.put("_class_name", className);
  }

  ConfigWriter put(String key, boolean value) {
    values.put(key, value);
    return this;
  }

  ConfigWriter put(String key, int value) {
    values.put(key, value);
    return this;
  }

  ConfigWriter put(String key, double value) {
    values.put(key, value);
    return this;
  }

  ConfigWriter put(String key, ConfigName value) {
    values.put(key, value.configName());
    return this;
  }

  ConfigWriter put(String key, OptionalDouble value) {
    values.put(key, value.isPresent() ? value.getAsDouble() : null);
    return this;
  }

  /** A list; null where empty. */
  ConfigWriter put(String key, List<Double> value) {
    values.put(key, value.isEmpty() ? null : value);
    return this;
  }

  ConfigWriter putObject(String key, Object value) {
    values.put(key, value);
    return this;
  }

  Map<String, Object> toMap() {
    return Collections.unmodifiableMap(values);
  }
}
