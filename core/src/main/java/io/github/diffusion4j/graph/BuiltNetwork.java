package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NetworkSource;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network that is built from its configuration and its weights when it is opened.
 *
 * @param component what it is in its model, such as {@code text_encoder}
 * @param architecture its kind and sizes
 * @param weights where they are
 */
public record BuiltNetwork(String component, Architecture architecture, WeightSource weights)
    implements NetworkSource {

  /** Checks that the parts are there. */
  public BuiltNetwork {
    requireNonNull(component, "component");
    requireNonNull(architecture, "architecture");
    requireNonNull(weights, "weights");
  }

  @Override
  public Path file() {
    return weights.file();
  }

  @Override
  public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = weights.open(open);
      GraphOptions options =
          new GraphOptions(type(runtime.precision(), stored), runtime.fusesAttention());
      return build(stored, options, edits);
    }
  }

  /**
   * Builds the network for ONNX Runtime's CPU and CUDA providers.
   *
   * @param precision what it computes in; by itself what the weights are stored as
   * @return the model
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration
   */
  public BuiltModel build(RuntimeOptions.Precision precision) throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = weights.open(open);
      return build(stored, new GraphOptions(type(precision, stored), true), List.of());
    }
  }

  /**
   * Builds the network without a runtime.
   *
   * @param options precision and operators
   * @return the model
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration
   */
  public BuiltModel build(GraphOptions options) throws IOException {
    try (Closer open = new Closer()) {
      return build(weights.open(open), options, List.of());
    }
  }

  /**
   * What the network says of itself in the precision of its weights.
   *
   * @return inputs, outputs, weights
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration
   */
  public OnnxFile describe() throws IOException {
    return OnnxFile.of(build(RuntimeOptions.Precision.STORED), component + ".onnx");
  }

  private ElementType type(RuntimeOptions.Precision precision, Weights stored) {
    return architecture.precision(
        switch (precision) {
          case AUTO, STORED -> mostOf(stored);
          case FLOAT32 -> ElementType.FLOAT32;
          case FLOAT16 -> ElementType.FLOAT16;
          case BFLOAT16 -> ElementType.BFLOAT16;
        });
  }

  private BuiltModel build(Weights stored, GraphOptions options, List<GraphEdit> edits) {
    Graph graph = new Graph(component, stored, options);
    architecture.addTo(graph, edits);
    return graph.build(architecture::tolerates);
  }

  /** The type of most weights' elements that a network can compute in. */
  private static ElementType mostOf(Weights stored) {
    Map<ElementType, Long> bytes = new EnumMap<>(ElementType.class);
    for (String key : stored.keys()) {
      Weight weight = stored.find(key).orElseThrow();
      ElementType type =
          switch (weight.type()) {
            case F16 -> ElementType.FLOAT16;
            case BF16, F8_E4M3, F8_E5M2 -> ElementType.BFLOAT16;
            default -> ElementType.FLOAT32;
          };
      bytes.merge(type, weight.values().length(), Long::sum);
    }
    return bytes.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(ElementType.FLOAT32);
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = weights.open(open);
      List<String> keys = stored.keys().stream().filter(key -> key.endsWith(suffix)).toList();
      if (keys.size() > 1) {
        throw new ModelFormatException(
            "%s: expected one weight ending in %s, found %s".formatted(file(), suffix, keys));
      }
      return keys.isEmpty()
          ? Optional.empty()
          : Optional.of(Floats.of(stored.find(keys.get(0)).orElseThrow().floats()));
    }
  }
}
