package io.github.diffusion4j.graph;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Reads a network's options: numbers within limits, choices among what is built, and values that
 * are either one for all blocks or one for each.
 *
 * @param config the file
 */
record ConfigValues(ConfigFile config) {

  private static final int LARGEST = 1 << 20;

  /**
   * A size.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @return 1 to 1048576, or {@code otherwise}
   */
  int size(String key, int otherwise) {
    return config.value(key).map(node -> size(key, node)).orElse(otherwise);
  }

  /**
   * A truth value.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @return the value
   */
  boolean flag(String key, boolean otherwise) {
    return config.flag(key).orElse(otherwise);
  }

  /**
   * A number.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @return the value
   */
  double number(String key, double otherwise) {
    return config.number(key).orElse(otherwise);
  }

  /**
   * One of several names.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @param built the names that are built
   * @return the name
   */
  String choice(String key, String otherwise, Set<String> built) {
    String value = config.text(key).orElse(otherwise);
    if (!built.contains(value)) {
      throw config.wrong(key, "one of " + built.stream().sorted().toList(), value);
    }
    return value;
  }

  /**
   * Refuses a value that would change the network in a way that is not built.
   *
   * @param key its key
   * @param expected the only value that is built
   */
  void only(String key, Object expected) {
    config
        .value(key)
        .ifPresent(
            node -> {
              Object found =
                  node.isBoolean()
                      ? node.booleanValue()
                      : node.isNumber()
                          ? node.doubleValue()
                          : node.isTextual() ? node.asText() : node;
              if (!found.equals(expected)) {
                throw config.wrong(key, expected + " (nothing else is built)", node);
              }
            });
  }

  /**
   * A list of names.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @return 1 to 32 names
   */
  List<String> names(String key, List<String> otherwise) {
    return config
        .value(key)
        .map(
            node -> {
              List<String> names = new ArrayList<>();
              node.forEach(name -> names.add(name.isTextual() ? name.textValue() : ""));
              if (!node.isArray() || names.isEmpty() || names.size() > 32 || names.contains("")) {
                throw config.wrong(key, "a list of 1 to 32 names", node);
              }
              return List.copyOf(names);
            })
        .orElse(otherwise);
  }

  /**
   * A list of sizes.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @return 1 to 32 sizes
   */
  List<Integer> sizes(String key, List<Integer> otherwise) {
    return config
        .value(key)
        .map(
            node -> {
              if (!node.isArray() || node.isEmpty() || node.size() > 32) {
                throw config.wrong(key, "a list of 1 to 32 sizes", node);
              }
              List<Integer> sizes = new ArrayList<>();
              node.forEach(size -> sizes.add(size(key, size)));
              return List.copyOf(sizes);
            })
        .orElse(otherwise);
  }

  /**
   * A size for each block.
   *
   * @param key its key
   * @param otherwise its value where the file has none
   * @param blocks number of blocks
   * @return as many sizes; all alike where the file has one for all
   */
  List<Integer> perBlock(String key, int otherwise, int blocks) {
    return eachBlock(key, blocks).stream()
        .map(node -> node.isNull() || node.isMissingNode() ? otherwise : size(key, node))
        .toList();
  }

  /**
   * A truth value for each block.
   *
   * @param key its key
   * @param blocks number of blocks
   * @return as many values, false where the file has none
   */
  List<Boolean> flagsPerBlock(String key, int blocks) {
    return eachBlock(key, blocks).stream()
        .map(
            node -> {
              if (!node.isBoolean() && !node.isNull() && !node.isMissingNode()) {
                throw config.wrong(key, "true or false, or a list of them", node);
              }
              return node.booleanValue();
            })
        .toList();
  }

  /**
   * The value for each block, which may be a list itself.
   *
   * @param key its key
   * @param blocks number of blocks
   * @return as many nodes; missing nodes where the file has none
   */
  List<JsonNode> eachBlock(String key, int blocks) {
    JsonNode node = config.root().path(key);
    if (!node.isArray()) {
      return Collections.nCopies(blocks, node);
    }
    if (node.size() != blocks) {
      throw config.wrong(key, "a list of " + blocks + " values, one for each block", node);
    }
    List<JsonNode> nodes = new ArrayList<>();
    node.forEach(nodes::add);
    return nodes;
  }

  /**
   * A size out of a list.
   *
   * @param key the key, for the message
   * @param node the value
   * @return 1 to 1048576
   */
  int size(String key, JsonNode node) {
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < 1
        || node.intValue() > LARGEST) {
      throw config.wrong(key, "a whole number from 1 to " + LARGEST, node);
    }
    return node.intValue();
  }

  /**
   * Checks that one width is a multiple of another number.
   *
   * @param key the key of the number
   * @param number the number
   * @param width the width
   * @throws ModelFormatException if it is not
   */
  void divides(String key, int number, int width) {
    if (width % number != 0) {
      throw config.wrong(key, "a divisor of the block's " + width + " channels", number);
    }
  }
}
