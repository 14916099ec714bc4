package io.github.diffusion4j.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One part of a model.
 *
 * @param name its folder
 * @param className class that it was saved from; "" if model_index.json does not name it
 * @param bytes size of all files in its folder
 * @param network what its ONNX file says; empty if it has none
 */
record Component(String name, String className, long bytes, Optional<OnnxFile> network) {

  /** Checks that nothing is missing. */
  Component {
    requireNonNull(name, "name");
    requireNonNull(className, "className");
    requireNonNull(network, "network");
  }

  /** The parts that model_index.json names, and other folders with a network. */
  static List<Component> of(ModelLayout layout) throws IOException {
    Map<String, String> classes = new LinkedHashMap<>();
    layout
        .index()
        .root()
        .properties()
        .forEach(
            entry -> {
              JsonNode pair = entry.getValue();
              if (pair.isArray() && pair.size() == 2 && pair.get(1).isTextual()) {
                classes.put(entry.getKey(), pair.get(1).textValue());
              }
            });
    layout.networkNames().forEach(name -> classes.putIfAbsent(name, ""));
    List<Component> components = new ArrayList<>();
    for (Map.Entry<String, String> entry : classes.entrySet()) {
      components.add(read(layout, entry.getKey(), entry.getValue()));
    }
    return components;
  }

  private static Component read(ModelLayout layout, String name, String className)
      throws IOException {
    Optional<OnnxFile> network =
        layout.has(name) ? Optional.of(layout.network(name).describe()) : Optional.empty();
    return new Component(name, className, size(layout.folder().resolve(name)), network);
  }

  private static long size(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    long total = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        total += Files.size(file);
      }
    }
    return total;
  }
}
