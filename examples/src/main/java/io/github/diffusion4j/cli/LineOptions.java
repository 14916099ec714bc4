package io.github.diffusion4j.cli;

import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.TextOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of a batch file's line: those of the command line that concern one picture. */
@Command
final class LineOptions {

  /** What a key's value must be. */
  enum Kind {
    /** An int or a long. */
    WHOLE("a whole number"),
    /** One long or more. */
    WHOLE_LIST("a whole number or a list of them"),
    /** A double. */
    NUMBER("a number"),
    /** A boolean. */
    FLAG("true or false"),
    /** Any text. */
    TEXT("text"),
    /** One text or more. */
    TEXT_LIST("text or a list of texts");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** For messages. */
    String label() {
      return label;
    }
  }

  /** Learned words belong to the whole run. */
  private static final String NOT_OF_A_LINE = "--embedding";

  @Mixin private PictureOptions picture;
  @Mixin private PromptArguments arguments;

  @Option(names = "--out")
  private String out;

  private final Map<String, String> given = new LinkedHashMap<>();

  private LineOptions() {}

  /** All keys, with what their values must be. */
  static Map<String, Kind> keys() {
    Map<String, Kind> keys = new LinkedHashMap<>();
    CommandLine command = command(new LineOptions());
    for (String name : new TreeSet<>(command.getCommandSpec().optionsMap().keySet())) {
      if (name.startsWith("--") && !name.equals(NOT_OF_A_LINE)) {
        keys.put(name.substring(2), kind(option(command, name)));
      }
    }
    return keys;
  }

  /**
   * Reads values by key.
   *
   * @param values one text or more for each key
   * @throws BatchLine.WrongKeyException if a value does not fit
   */
  static LineOptions parse(Map<String, List<String>> values) {
    LineOptions options = new LineOptions();
    CommandLine command = command(options);
    List<String> args = new ArrayList<>();
    values.forEach(
        (key, texts) -> {
          for (String text : texts) {
            check(key, text, option(command, "--" + key));
            args.add("--" + key + "=" + text);
          }
          options.given.put(key, String.join(",", texts));
        });
    try {
      command.parseArgs(args.toArray(String[]::new));
    } catch (ParameterException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return options;
  }

  private static CommandLine command(LineOptions options) {
    return new CommandLine(options)
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true);
  }

  private static OptionSpec option(CommandLine command, String name) {
    return command.getCommandSpec().optionsMap().get(name);
  }

  private static Kind kind(OptionSpec option) {
    Class<?> type = option.type();
    if (type == List.class) {
      return option.auxiliaryTypes()[0] == Long.class ? Kind.WHOLE_LIST : Kind.TEXT_LIST;
    }
    return type == Integer.class || type == Long.class
        ? Kind.WHOLE
        : type == Double.class ? Kind.NUMBER : type == Boolean.class ? Kind.FLAG : Kind.TEXT;
  }

  private static void check(String key, String value, OptionSpec option) {
    try {
      switch (kind(option)) {
        case WHOLE -> {
          if (option.type() == Long.class) {
            Long.parseLong(value);
          } else {
            Integer.parseInt(value);
          }
        }
        case NUMBER -> Double.parseDouble(value);
        case WHOLE_LIST -> {
          for (String part : value.split(",", -1)) {
            Long.parseLong(part);
          }
        }
        case FLAG -> {
          if (!value.equals("true") && !value.equals("false")) {
            throw new NumberFormatException();
          }
        }
        case TEXT, TEXT_LIST -> {
          for (ITypeConverter<?> converter : option.converters()) {
            converter.convert(value);
          }
          if (option.type().isEnum()) {
            enumValue(option.type(), value);
          }
        }
      }
    } catch (NumberFormatException e) {
      throw new BatchLine.WrongKeyException(key, kind(option).label(), "\"" + value + "\"");
    } catch (Exception e) { // what a converter may throw
      throw new BatchLine.WrongKeyException(key, e.getMessage());
    }
  }

  private static void enumValue(Class<?> type, String value) {
    List<String> names = new ArrayList<>();
    for (Object constant : type.getEnumConstants()) {
      names.add(constant.toString());
    }
    if (names.stream().noneMatch(value::equalsIgnoreCase)) {
      throw new IllegalArgumentException("expected one of " + names + ", found \"" + value + "\"");
    }
  }

  /** Changes what is given here. */
  void change(GenerationRequestBuilder builder) {
    picture.change(builder);
  }

  /** The options as they were, with what is given here changed. */
  TextOptions change(TextOptions text) {
    return picture.change(arguments.change(text));
  }

  /** The reuse of features as it was, with what is given here changed. */
  FeatureReuse change(FeatureReuse reuse) {
    return picture.change(reuse);
  }

  /** The seeds asked for. */
  SeedChoice seeds() {
    return picture.seeds();
  }

  /** The picture's file, from the folder of all pictures. */
  Optional<String> out() {
    return Optional.ofNullable(out);
  }

  /** Values by key, as given, with commas between those of a list. */
  Map<String, String> given() {
    return Map.copyOf(given);
  }
}
