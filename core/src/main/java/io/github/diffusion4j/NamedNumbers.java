package io.github.diffusion4j;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A name with numbers, as people write it: {@code name}, {@code name:1,2} or {@code name:key=1}.
 *
 * @param name before the colon
 * @param parts what the commas after the colon divide
 */
record NamedNumbers(String name, List<String> parts) {

  static NamedNumbers parse(String text) {
    int colon = text.indexOf(':');
    return colon < 0
        ? new NamedNumbers(text.strip(), List.of())
        : new NamedNumbers(
            text.substring(0, colon).strip(), List.of(text.substring(colon + 1).split(",", -1)));
  }

  /** The numbers in order. */
  List<Double> numbers() {
    List<Double> numbers = new ArrayList<>();
    for (String part : parts) {
      numbers.add(number(name, part));
    }
    return numbers;
  }

  /**
   * The numbers by key.
   *
   * @param defaults all keys that may be given, with what holds where they are not
   */
  Map<String, Double> byKey(Map<String, Double> defaults) {
    Map<String, Double> values = new LinkedHashMap<>(defaults);
    for (String part : parts) {
      int sign = part.indexOf('=');
      String key = sign < 0 ? part.strip() : part.substring(0, sign).strip();
      if (sign < 0 || !defaults.containsKey(key)) {
        throw new IllegalArgumentException(
            "%s takes KEY=NUMBER with the keys %s, got \"%s\""
                .formatted(name, defaults.keySet(), part));
      }
      values.put(key, number(name + " " + key, part.substring(sign + 1)));
    }
    return values;
  }

  static String format(String name, Map<String, Double> values) {
    List<String> parts = new ArrayList<>();
    values.forEach((key, value) -> parts.add(key + "=" + value));
    return name + ":" + String.join(",", parts);
  }

  static double number(String name, String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + " must be a number, got \"" + text + "\"", e);
    }
  }

  static void requireFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " must be a finite number, got " + value);
    }
  }
}
