package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.LowRank;
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
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A network that is built from its configuration and its weights when it is opened.
 *
 * @param component what it is in its model, such as {@code text_encoder}
 * @param architecture its kind and sizes
 * @param weights where they are
 */
public record BuiltNetwork(String component, Architecture architecture, WeightSource weights)
    implements NetworkSource {

  private static final String WEIGHT = ".weight";

  /** Parameters of a network that is not small. */
  private static final long LARGE = 1L << 26;

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
      Weights stored = opened(open);
      ElementType type = type(runtime.precision(), stored);
      GraphOptions options =
          new GraphOptions(
              type,
              runtime.fusesAttention(),
              runtime.onCpu(),
              runtime.wantsWinograd(),
              hasLoraInputs(runtime.loraInputs(), type, stored));
      return build(stored, options, edits);
    }
  }

  /**
   * Builds the network for ONNX Runtime's CPU and CUDA providers.
   *
   * @param precision what it computes in; by itself what the weights are stored as
   * @param edits changes of the graph
   * @return the model
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration, or the graph
   *     cannot be changed so
   */
  public BuiltModel build(RuntimeOptions.Precision precision, List<GraphEdit> edits)
      throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = opened(open);
      return build(stored, new GraphOptions(type(precision, stored), true), edits);
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
    return describe(List.of());
  }

  /**
   * What the network says of itself with changes, in the precision of its weights.
   *
   * @param edits changes of the graph
   * @return inputs, outputs, weights
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration, or the graph
   *     cannot be changed so
   */
  public OnnxFile describe(List<GraphEdit> edits) throws IOException {
    return OnnxFile.of(build(RuntimeOptions.Precision.STORED, edits), component + ".onnx");
  }

  private ElementType type(RuntimeOptions.Precision precision, Weights stored) {
    ElementType asked =
        switch (precision) {
          case AUTO, STORED -> mostOf(stored);
          case FLOAT32 -> ElementType.FLOAT32;
          case FLOAT16 -> ElementType.FLOAT16;
          case BFLOAT16 -> ElementType.BFLOAT16;
        };
    boolean takes = asked != ElementType.BFLOAT16 || architecture.takesBfloat16();
    return architecture.precision(takes ? asked : ElementType.FLOAT16);
  }

  /** The weights under the names that layers ask for. */
  private Weights opened(Closer open) throws IOException {
    return RenamedWeights.of(weights.open(open), architecture::presentName);
  }

  /** Builds the network with given operators. */
  BuiltModel build(GraphOptions options) throws IOException {
    try (Closer open = new Closer()) {
      return build(opened(open), options, List.of());
    }
  }

  /**
   * What sessions on the CPU hold beyond the weights: kernels in the forms that convolutions by
   * fewer products take.
   *
   * @param edits changes of the graph
   * @param winograd whether large convolutions take Winograd's method
   * @return bytes
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration, or the graph
   *     cannot be changed so
   */
  public long computedBytes(List<GraphEdit> edits, boolean winograd) throws IOException {
    try (Closer open = new Closer()) {
      GraphOptions options = new GraphOptions(ElementType.FLOAT32, true, true, winograd, false);
      return ElementType.FLOAT32.bytes() * graph(opened(open), options, edits).computed();
    }
  }

  private BuiltModel build(Weights stored, GraphOptions options, List<GraphEdit> edits) {
    return graph(stored, options, edits).build(architecture::tolerates);
  }

  private Graph graph(Weights stored, GraphOptions options, List<GraphEdit> edits) {
    Graph graph = new Graph(component, MergedWeights.of(stored, edits), options);
    List<GraphEdit> others = new ArrayList<>();
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.LowRankInputs inputs) {
        graph.changeable(inputs.layers());
      } else if (!(edit instanceof GraphEdit.Merged)) {
        others.add(edit);
      }
    }
    architecture.addTo(graph, others);
    return graph;
  }

  /**
   * Whether sessions on the CPU have inputs for LoRAs at all times.
   *
   * @param inputs when networks are to have them
   * @param precision what networks compute in; by itself in 32 bits
   * @return whether LoRAs of matrices need no second session
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if it is not what it should be
   */
  public boolean hasLoraInputs(LoraInputs inputs, RuntimeOptions.Precision precision)
      throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = opened(open);
      boolean auto = precision == RuntimeOptions.Precision.AUTO;
      ElementType type = auto ? ElementType.FLOAT32 : type(precision, stored);
      return hasLoraInputs(inputs, type, stored);
    }
  }

  private boolean hasLoraInputs(LoraInputs inputs, ElementType type, Weights stored) {
    boolean auto = inputs == LoraInputs.AUTO && type == ElementType.FLOAT32 && isLarge(stored);
    return architecture.takesLoraInputs() && (inputs == LoraInputs.ALWAYS || auto);
  }

  /** Whether an evaluation takes so long that inputs for LoRAs do not show. */
  private static boolean isLarge(Weights stored) {
    return stored.keys().stream()
            .map(key -> stored.find(key).orElseThrow())
            .mapToLong(weight -> 8 * weight.values().length() / weight.type().bits())
            .sum()
        >= LARGE;
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
  public Map<String, LowRank.Shape> layers() throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = opened(open);
      Map<String, LowRank.Shape> layers = new TreeMap<>();
      for (String key : stored.keys()) {
        if (key.endsWith(WEIGHT)) {
          shape(stored.find(key).orElseThrow().seen())
              .ifPresent(
                  shape -> layers.put(key.substring(0, key.length() - WEIGHT.length()), shape));
        }
      }
      return layers;
    }
  }

  private static Optional<LowRank.Shape> shape(List<Long> shape) {
    boolean layer = shape.size() == 2 || shape.size() == 4;
    if (!layer || shape.stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
      return Optional.empty();
    }
    int out = shape.get(0).intValue();
    int in = shape.get(1).intValue();
    return Optional.of(
        shape.size() == 2
            ? LowRank.Shape.matrix(out, in)
            : new LowRank.Shape(out, in, shape.get(2).intValue(), shape.get(3).intValue()));
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    try (Closer open = new Closer()) {
      Weights stored = opened(open);
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
