package io.github.diffusion4j.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * One JSON file of a model, with errors that name file and key. Absent files read as empty: old
 * repositories lack some.
 *
 * @param name path within the model, for messages
 * @param root its object, or missing
 */
public record ConfigFile(String name, JsonNode root) {

  private static final long MAX_BYTES = 16 << 20;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /**
   * Reads a file.
   *
   * @param folder the model's folder
   * @param name path within it
   * @return its content; empty if there is no such file
   * @throws ModelFormatException if it is not a JSON object
   */
  public static ConfigFile read(Path folder, String name) {
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file)) {
      return new ConfigFile(name, MissingNode.getInstance());
    }
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new ModelFormatException(
            file + ": a configuration of " + Files.size(file) + " bytes, expected at most 16 MiB");
      }
      JsonNode root = JSON.readTree(Files.readAllBytes(file));
      if (!root.isObject()) {
        throw new ModelFormatException(file + ": expected a JSON object, found " + kind(root));
      }
      return new ConfigFile(name, root);
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(file + ": not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  private static String kind(JsonNode node) {
    return node.isMissingNode() ? "an empty file" : node.getNodeType().toString();
  }

  /**
   * Whether the file is there.
   *
   * @return false for an absent file
   */
  public boolean present() {
    return !root.isMissingNode();
  }

  /**
   * An integer.
   *
   * @param key its key
   * @return its value; empty if absent or null
   */
  public Optional<Integer> integer(String key) {
    return value(key)
        .map(
            node -> {
              if (!node.isIntegralNumber() || !node.canConvertToInt()) {
                throw wrong(key, "an integer", node);
              }
              return node.intValue();
            });
  }

  /**
   * A positive integer.
   *
   * @param key its key
   * @return its value; empty if absent or null
   */
  public Optional<Integer> positive(String key) {
    Optional<Integer> value = integer(key);
    if (value.orElse(1) < 1) {
      throw wrong(key, "a positive integer", root.get(key));
    }
    return value;
  }

  /**
   * A number.
   *
   * @param key its key
   * @return its value; empty if absent or null
   */
  public Optional<Double> number(String key) {
    return value(key)
        .map(
            node -> {
              if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
                throw wrong(key, "a finite number", node);
              }
              return node.doubleValue();
            });
  }

  /**
   * A text.
   *
   * @param key its key
   * @return its value; empty if absent or null
   */
  public Optional<String> text(String key) {
    return value(key)
        .map(
            node -> {
              if (!node.isTextual()) {
                throw wrong(key, "a text", node);
              }
              return node.textValue();
            });
  }

  /**
   * A truth value.
   *
   * @param key its key
   * @return its value; empty if absent or null
   */
  public Optional<Boolean> flag(String key) {
    return value(key)
        .map(
            node -> {
              if (!node.isBoolean()) {
                throw wrong(key, "true or false", node);
              }
              return node.booleanValue();
            });
  }

  /**
   * The length of a list.
   *
   * @param key its key
   * @return number of entries; empty if absent or null
   */
  public Optional<Integer> length(String key) {
    return value(key)
        .map(
            node -> {
              if (!node.isArray()) {
                throw wrong(key, "a list", node);
              }
              return node.size();
            });
  }

  /**
   * Any value.
   *
   * @param key its key
   * @return the node; empty if absent or null
   */
  public Optional<JsonNode> value(String key) {
    JsonNode node = root.path(key);
    return node.isMissingNode() || node.isNull() ? Optional.empty() : Optional.of(node);
  }

  /**
   * The whole file.
   *
   * @return keys and values; values may be null
   */
  public Map<String, Object> toMap() {
    return present() ? JSON.convertValue(root, new TypeReference<>() {}) : Map.of();
  }

  /**
   * An error about a value.
   *
   * @param key its key
   * @param expected what it should be
   * @param found what it is
   * @return to be thrown
   */
  public ModelFormatException wrong(String key, String expected, Object found) {
    return new ModelFormatException(
        name + ": \"" + key + "\" must be " + expected + ", found " + found);
  }
}
