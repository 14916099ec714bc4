package io.github.diffusion4j.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.OperatorSetIdProto;
import io.github.diffusion4j.onnx.schema.StringStringEntryProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Several networks as one graph. The names of each guest get its prefix, but for inputs that it
 * shares with the first network. Weights stay where they are, in files or in buffers. For one
 * thread.
 */
final class NetworkMerge {

  private final String component;
  private final ModelProto.Builder model;
  private final GraphProto.Builder guests = GraphProto.newBuilder();
  private final Map<String, BuiltModel.Buffer> buffers = new HashMap<>();
  private final Map<TensorProto.Builder, Path> external = new LinkedHashMap<>();

  /**
   * Begins with a network.
   *
   * @param component for messages
   * @param first the network that keeps its names
   */
  NetworkMerge(String component, BuiltModel first) throws IOException {
    this.component = component;
    this.model = parse(first).toBuilder();
    for (TensorProto.Builder tensor : model.getGraphBuilder().getInitializerBuilderList()) {
      locate(tensor, first);
    }
    buffers.putAll(first.buffers());
  }

  private ModelProto parse(BuiltModel built) {
    try {
      ModelProto parsed = ModelProto.parseFrom(built.bytes());
      if (parsed.getFunctionsCount() > 0 || parsed.getGraph().getSparseInitializerCount() > 0) {
        throw new ModelFormatException(
            component + ": a graph with functions or sparse weights cannot be merged");
      }
      return parsed;
    } catch (InvalidProtocolBufferException e) {
      throw new ModelFormatException(component + ": not an ONNX model: " + e.getMessage(), e);
    }
  }

  /** Remembers the file of a weight; symbolic links are followed, since folders change. */
  private void locate(TensorProto.Builder tensor, BuiltModel built) throws IOException {
    if (tensor.getDataLocation() != TensorProto.DataLocation.EXTERNAL
        || built.buffers().containsKey(tensor.getName())) {
      return;
    }
    String location =
        tensor.getExternalDataList().stream()
            .filter(entry -> entry.getKey().equals("location"))
            .map(StringStringEntryProto::getValue)
            .findFirst()
            .orElse("");
    Path folder = built.folder().map(Path::normalize).orElse(null);
    Path file = folder == null ? null : folder.resolve(location).normalize();
    if (file == null || !file.startsWith(folder) || file.equals(folder)) {
      throw new ModelFormatException(
          "%s: the values of %s are at \"%s\", which is no file in the model's folder"
              .formatted(component, tensor.getName(), location));
    }
    external.put(tensor, file.toRealPath());
  }

  /**
   * Adds a network.
   *
   * @param prefix of its names, its own
   * @param guest the network
   * @param own its inputs that are no inputs of the first network though called alike; all others
   *     that are called alike and of the same type and shape are shared
   */
  void add(String prefix, BuiltModel guest, Set<String> own) throws IOException {
    ModelProto other = parse(guest);
    unite(other);
    Set<String> shared =
        other.getGraph().getInputList().stream()
            .filter(input -> !own.contains(input.getName()) && isShared(input))
            .map(ValueInfoProto::getName)
            .collect(Collectors.toSet());
    UnaryOperator<String> name =
        given -> given.isEmpty() || shared.contains(given) ? given : prefix + given;
    GraphProto graph = other.getGraph();
    for (TensorProto tensor : graph.getInitializerList()) {
      TensorProto.Builder copy = guests.addInitializerBuilder().mergeFrom(tensor);
      locate(copy, guest);
      copy.setName(name.apply(tensor.getName()));
    }
    guest.buffers().forEach((given, buffer) -> buffers.put(name.apply(given), buffer));
    Set<String> constants =
        graph.getInitializerList().stream().map(TensorProto::getName).collect(Collectors.toSet());
    for (ValueInfoProto input : graph.getInputList()) {
      if (!shared.contains(input.getName()) && !constants.contains(input.getName())) {
        model.getGraphBuilder().addInput(named(input, name));
      }
    }
    graph.getValueInfoList().forEach(value -> guests.addValueInfo(named(value, name)));
    graph.getNodeList().forEach(node -> guests.addNode(node(node, name)));
  }

  private boolean isShared(ValueInfoProto input) {
    return model.getGraph().getInputList().stream()
        .filter(mine -> mine.getName().equals(input.getName()))
        .map(mine -> mine.getType().getTensorType())
        .anyMatch(
            mine -> {
              TypeProto.Tensor theirs = input.getType().getTensorType();
              return mine.getElemType() == theirs.getElemType()
                  && sizes(mine).equals(sizes(theirs));
            });
  }

  private static List<Long> sizes(TypeProto.Tensor tensor) {
    return tensor.getShape().getDimList().stream()
        .map(dimension -> dimension.hasDimValue() ? dimension.getDimValue() : -1)
        .toList();
  }

  private static ValueInfoProto named(ValueInfoProto value, UnaryOperator<String> name) {
    return value.toBuilder().setName(name.apply(value.getName())).build();
  }

  /** The operators of both, which must be of one version. */
  private void unite(ModelProto other) {
    model.setIrVersion(Math.max(model.getIrVersion(), other.getIrVersion()));
    for (OperatorSetIdProto set : other.getOpsetImportList()) {
      Optional<OperatorSetIdProto> own =
          model.getOpsetImportList().stream()
              .filter(mine -> domain(mine).equals(domain(set)))
              .findFirst();
      if (own.isEmpty()) {
        model.addOpsetImport(set);
      } else if (own.get().getVersion() != set.getVersion()) {
        throw new ModelFormatException(
            "%s: networks with operators of versions %d and %d cannot be merged; export both with one version, or run them separately"
                .formatted(component, own.get().getVersion(), set.getVersion()));
      }
    }
  }

  private static String domain(OperatorSetIdProto set) {
    return set.getDomain().equals("ai.onnx") ? "" : set.getDomain();
  }

  private static NodeProto node(NodeProto node, UnaryOperator<String> name) {
    NodeProto.Builder renamed = node.toBuilder().setName(name.apply(node.getName()));
    for (int i = 0; i < node.getInputCount(); i++) {
      renamed.setInput(i, name.apply(node.getInput(i)));
    }
    for (int i = 0; i < node.getOutputCount(); i++) {
      renamed.setOutput(i, name.apply(node.getOutput(i)));
    }
    for (AttributeProto.Builder attribute : renamed.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        attribute.setG(graph(attribute.getG(), name));
      }
      for (int i = 0; i < attribute.getGraphsCount(); i++) {
        attribute.setGraphs(i, graph(attribute.getGraphs(i), name));
      }
    }
    return renamed.build();
  }

  /** A graph within a node, which sees the names around it. */
  private static GraphProto graph(GraphProto graph, UnaryOperator<String> name) {
    GraphProto.Builder renamed = graph.toBuilder();
    renamed
        .getInitializerBuilderList()
        .forEach(tensor -> tensor.setName(name.apply(tensor.getName())));
    renamed.getInputBuilderList().forEach(value -> value.setName(name.apply(value.getName())));
    renamed.getOutputBuilderList().forEach(value -> value.setName(name.apply(value.getName())));
    renamed.getValueInfoBuilderList().forEach(value -> value.setName(name.apply(value.getName())));
    for (int i = 0; i < graph.getNodeCount(); i++) {
      renamed.setNode(i, node(graph.getNode(i), name));
    }
    return renamed.build();
  }

  /** Makes a node after those of the guests added so far. */
  NodeProto.Builder node(String operator, String output, String... inputs) {
    return guests
        .addNodeBuilder()
        .setOpType(operator)
        .setName(output)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  /** Adds a constant. */
  void constant(TensorProto tensor) {
    guests.addInitializer(tensor);
  }

  /** Takes an input away, whose place a constant or a computed value takes. */
  void drop(String input) {
    GraphProto.Builder graph = model.getGraphBuilder();
    for (int i = graph.getInputCount() - 1; i >= 0; i--) {
      if (graph.getInput(i).getName().equals(input)) {
        graph.removeInput(i);
      }
    }
  }

  /** Adds an input. */
  void input(ValueInfoProto input) {
    model.getGraphBuilder().addInput(input);
  }

  /** The merged model; its files' folder is the one that holds the folders of all networks. */
  BuiltModel build() {
    Optional<Path> folder = folder();
    external.forEach(
        (tensor, file) ->
            tensor.getExternalDataBuilderList().stream()
                .filter(entry -> entry.getKey().equals("location"))
                .forEach(
                    entry ->
                        entry.setValue(
                            folder.orElseThrow().relativize(file).toString().replace('\\', '/'))));
    GraphProto.Builder graph = model.getGraphBuilder();
    GraphProto own = graph.build();
    graph
        .clearNode()
        .addAllNode(guests.getNodeList())
        .addAllNode(own.getNodeList())
        .addAllInitializer(guests.getInitializerList())
        .addAllValueInfo(guests.getValueInfoList());
    return new BuiltModel(model.build().toByteArray(), folder, buffers);
  }

  private Optional<Path> folder() {
    Path common = null;
    for (Path file : external.values()) {
      common = common == null ? file.getParent() : common;
      while (common != null && !file.startsWith(common)) {
        common = common.getParent();
      }
      if (common == null) {
        throw new ModelFormatException(
            component
                + ": networks on different drives cannot be merged; put them on one drive, or run"
                + " them separately");
      }
    }
    return Optional.ofNullable(common);
  }
}
