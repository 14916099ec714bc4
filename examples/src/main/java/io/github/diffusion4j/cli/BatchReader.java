package io.github.diffusion4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** Reads batch files: JSON Lines, CSV, or a prompt a line, UTF-8 with or without its mark. */
final class BatchReader {

  private static final String PROMPT = "prompt";
  private static final String MARK = "\uFEFF";
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .build();

  private final Path file;
  private final Map<String, LineOptions.Kind> keys = LineOptions.keys();
  private final List<BatchLine> lines = new ArrayList<>();

  private BatchReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a file by its ending: .jsonl, .csv, else text.
   *
   * @throws IllegalArgumentException if a line is wrong; the message names file, line and key
   */
  static List<BatchLine> read(Path file) throws IOException {
    BatchReader reader = new BatchReader(file);
    String text = text(file);
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      reader.csv(text);
    } else {
      int number = 1;
      for (String line : text.lines().toList()) {
        if (!line.isBlank()) {
          reader.line(number, line, name.endsWith(".jsonl"));
        }
        number++;
      }
    }
    if (reader.lines.isEmpty()) {
      throw new IllegalArgumentException(file + " has no line with a prompt");
    }
    return reader.lines;
  }

  private static String text(Path file) throws IOException {
    try {
      String text = Files.readString(file);
      return text.startsWith(MARK) ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not a text file in UTF-8", e);
    }
  }

  /** What is wrong with a line, with where it is. */
  static String at(Path file, int line, String problem) {
    return file + ", line " + line + ": " + problem;
  }

  private IllegalArgumentException wrong(int line, String problem, Exception cause) {
    return new IllegalArgumentException(at(file, line, problem), cause);
  }

  private void line(int number, String line, boolean json) {
    Map<String, List<String>> values = json ? object(number, line) : Map.of(PROMPT, List.of(line));
    add(number, values);
  }

  private void add(int number, Map<String, List<String>> values) {
    Map<String, List<String>> options = new LinkedHashMap<>(values);
    List<String> prompt = options.remove(PROMPT);
    if (prompt == null) {
      throw wrong(number, "key \"prompt\": expected text, found none", null);
    }
    try {
      lines.add(new BatchLine(number, prompt.get(0), LineOptions.parse(options)));
    } catch (IllegalArgumentException e) {
      throw wrong(number, e.getMessage(), e);
    }
  }

  private LineOptions.Kind kind(String key) {
    LineOptions.Kind kind = key.equals(PROMPT) ? LineOptions.Kind.TEXT : keys.get(key);
    if (kind == null) {
      throw new IllegalArgumentException(
          "key \"%s\": expected prompt or one of %s, found \"%s\""
              .formatted(key, keys.keySet(), key));
    }
    return kind;
  }

  private Map<String, List<String>> object(int number, String line) {
    JsonNode object;
    try {
      object = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null ? "" : ", character " + e.getLocation().getColumnNr() + " of it";
      String problem = "expected one JSON object%s: %s".formatted(where, e.getOriginalMessage());
      throw wrong(number, problem, e);
    }
    if (!object.isObject()) {
      throw wrong(number, "expected one JSON object, found " + object, null);
    }
    Map<String, List<String>> values = new LinkedHashMap<>();
    try {
      object.properties().forEach(e -> values.put(e.getKey(), texts(e.getKey(), e.getValue())));
    } catch (IllegalArgumentException e) {
      throw wrong(number, e.getMessage(), e);
    }
    return values;
  }

  private List<String> texts(String key, JsonNode value) {
    LineOptions.Kind kind = kind(key);
    boolean fits =
        switch (kind) {
          case WHOLE -> value.isIntegralNumber();
          case WHOLE_LIST -> value.isIntegralNumber() || isList(value, JsonNode::isIntegralNumber);
          case NUMBER -> value.isNumber();
          case FLAG -> value.isBoolean();
          case TEXT -> value.isTextual();
          case TEXT_LIST -> value.isTextual() || isList(value, JsonNode::isTextual);
        };
    if (!fits) {
      throw new BatchLine.WrongKeyException(key, kind.label(), value.toString());
    }
    if (!value.isArray()) {
      return List.of(value.asText());
    }
    List<String> parts = new ArrayList<>();
    value.forEach(part -> parts.add(part.asText()));
    return parts;
  }

  private static boolean isList(JsonNode value, Predicate<JsonNode> part) {
    return value.isArray() && !value.isEmpty() && value.valueStream().allMatch(part);
  }

  private void csv(String text) throws IOException {
    List<CsvRows.Row> rows;
    try {
      rows = CsvRows.read(text);
    } catch (CsvRows.BadRowException e) {
      throw wrong(e.line(), "expected CSV with commas and double quotes: " + e.getMessage(), e);
    }
    if (rows.isEmpty()) {
      return;
    }
    CsvRows.Row header = rows.get(0);
    checkHeader(header);
    for (CsvRows.Row row : rows.subList(1, rows.size())) {
      if (row.cells().size() != header.cells().size()) {
        String problem = "expected %d cells as in the header, found %d";
        throw wrong(row.line(), problem.formatted(header.cells().size(), row.cells().size()), null);
      }
      Map<String, List<String>> values = new LinkedHashMap<>();
      for (int i = 0; i < row.cells().size(); i++) {
        if (!row.cells().get(i).isEmpty()) {
          values.put(header.cells().get(i).strip(), List.of(row.cells().get(i)));
        }
      }
      add(row.line(), values);
    }
  }

  private void checkHeader(CsvRows.Row header) {
    List<String> names = header.cells().stream().map(String::strip).toList();
    for (String name : names) {
      try {
        kind(name);
      } catch (IllegalArgumentException e) {
        throw wrong(header.line(), e.getMessage(), e);
      }
      if (names.indexOf(name) != names.lastIndexOf(name)) {
        throw wrong(header.line(), "key \"" + name + "\": expected once, found twice", null);
      }
    }
    if (!names.contains(PROMPT)) {
      throw wrong(header.line(), "key \"prompt\": expected in the header, found " + names, null);
    }
  }
}
