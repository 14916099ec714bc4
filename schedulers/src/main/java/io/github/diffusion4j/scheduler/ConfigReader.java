package io.github.diffusion4j.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Reads typed options from a parsed scheduler_config.json. A missing key or null gives the default;
 * a value that cannot be is an error that names it. Remembers which keys were asked for.
 */
final class ConfigReader {

  private final String className;
  private final Map<String, ?> values;
  private final Set<String> asked = new TreeSet<>();

  ConfigReader(String className, Map<String, ?> values) {
    this.className = className;
    this.values = values;
  }

  /** Keys that the class knows: those asked for so far. */
  Set<String> asked() {
    return asked;
  }

  boolean flag(String key, boolean missing) {
    if (!values.containsKey(key)) {
      asked.add(key);
      return missing;
    }
    Object value = value(key);
    if (value == null) {
      return false;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, value, "true or false");
  }

  int integer(String key, int missing) {
    Object value = value(key);
    if (value == null) {
      return missing;
    }
    if (value instanceof Number number
        && number.doubleValue() == Math.rint(number.doubleValue())
        && Math.abs(number.doubleValue()) <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw wrong(key, value, "an integer");
  }

  double real(String key, double missing) {
    return optional(key).orElse(missing);
  }

  OptionalDouble optional(String key) {
    Object value = value(key);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(real(key, value));
  }

  OptionalLong optionalLong(String key) {
    Object value = value(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (value instanceof Integer || value instanceof Long) {
      return OptionalLong.of(((Number) value).longValue());
    }
    throw wrong(key, value, "an integer");
  }

  /** A list of numbers; empty where missing. */
  List<Double> reals(String key) {
    Object value = value(key);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> list)) {
      throw wrong(key, value, "a list of numbers");
    }
    List<Double> reals = new ArrayList<>(list.size());
    for (Object item : list) {
      reals.add(real(key, item));
    }
    return List.copyOf(reals);
  }

  /** One of the constants; {@code allowed} none means all of the enum. */
  @SafeVarargs
  @SuppressWarnings("varargs")
  final <E extends Enum<E> & ConfigName> E choice(String key, E missing, E... allowed) {
    Object value = value(key);
    if (value == null) {
      return missing;
    }
    E[] choices = allowed.length == 0 ? missing.getDeclaringClass().getEnumConstants() : allowed;
    for (E choice : choices) {
      if (choice.configName().equals(value)) {
        return choice;
      }
    }
    throw wrong(
        key,
        value,
        "one of "
            + Arrays.stream(choices).map(ConfigName::configName).collect(Collectors.joining(", ")));
  }

  /** The text of a key, for values with more than one spelling. */
  String text(String key, String missing) {
    Object value = value(key);
    return value == null ? missing : value.toString();
  }

  /** One of two texts, the first where missing; true for the second. */
  boolean either(String key, String first, String second) {
    return oneOf(key, first, second).equals(second);
  }

  /** One of some texts, the first where missing. */
  String oneOf(String key, String... texts) {
    String value = text(key, texts[0]);
    if (!List.of(texts).contains(value)) {
      throw wrong(key, value, "one of " + String.join(", ", texts));
    }
    return value;
  }

  IllegalArgumentException wrong(String key, Object value, String expected) {
    return new IllegalArgumentException(
        "%s of %s must be %s, got %s".formatted(key, className, expected, value));
  }

  private double real(String key, Object value) {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw wrong(key, value, "a number");
  }

  private Object value(String key) {
    asked.add(key);
    return values.get(key);
  }
}
