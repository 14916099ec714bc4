package io.github.diffusion4j.onnx;

import com.google.protobuf.CodedInputStream;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.NodeProto;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Makes an edited copy of a model's bytes. Weights are not copied: the new model refers to them in
 * the old file as external data, so that it is small and ONNX Runtime maps them into memory. Models
 * in other file systems than the default are copied whole.
 */
final class GraphEditor {

  /** Smaller constants stay inside: shapes and the like, which the runtime wants to see. */
  private static final int SMALL = 4096;

  private static final Set<String> KEEPS_IDS =
      Set.of("Cast", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Identity");

  private final OnnxGraph graph;
  private final Path path;
  private final SeekableByteChannel file;
  private final Map<Long, Replacement> replacements = new TreeMap<>();
  private final Map<String, BuiltModel.Buffer> buffers = new HashMap<>();
  private final WireWriter first = new WireWriter();
  private final WireWriter last = new WireWriter();

  /** A part of the graph and what comes in its place. */
  private record Replacement(OnnxGraph.Range range, byte[] fields) {}

  private GraphEditor(OnnxGraph graph, Path path, SeekableByteChannel file) {
    this.graph = graph;
    this.path = path;
    this.file = file;
  }

  /**
   * Edits a model.
   *
   * @return an ONNX model that refers to the file
   */
  static BuiltModel edit(Path path, List<GraphEdit> edits) throws IOException {
    OnnxGraph graph = OnnxGraph.read(path);
    try (SeekableByteChannel file = Files.newByteChannel(path)) {
      GraphEditor editor = new GraphEditor(graph, path, file);
      editor.referToWeights();
      for (GraphEdit edit : edits) {
        if (edit instanceof GraphEdit.MoreEmbeddings more) {
          editor.append(more);
        } else if (edit instanceof GraphEdit.AttentionBias bias) {
          editor.bias(bias.input());
        } else if (edit instanceof GraphEdit.LowRankInputs inputs) {
          editor.adapt(inputs);
        } else if (edit instanceof GraphEdit.Merged merged) {
          editor.merge(merged);
        } else if (edit instanceof GraphEdit.DeepFeatureInput) {
          throw new IllegalArgumentException(
              path
                  + " is an ONNX file, which cannot be cut in two for feature reuse; take the"
                  + " model as weights (.safetensors), or leave feature reuse out");
        }
      }
      Optional<Path> folder =
          path.getFileSystem() == FileSystems.getDefault()
              ? Optional.of(path.toAbsolutePath().getParent())
              : Optional.empty();
      byte[] model = editor.model();
      if (edits.contains(new GraphEdit.RowTimesteps())) {
        model = RowTimesteps.in(path, model);
      }
      BuiltModel edited = new BuiltModel(model, folder, editor.buffers);
      return edits.contains(new GraphEdit.Float32()) ? Float32Model.of(path, edited) : edited;
    }
  }

  private void referToWeights() throws IOException {
    for (OnnxGraph.Tensor tensor : graph.tensors()) {
      if (isReferable(tensor)) {
        replace(tensor.range(), tensor(tensor.initializer().name(), tensor));
      }
    }
  }

  private boolean isReferable(OnnxGraph.Tensor tensor) {
    return path.getFileSystem() == FileSystems.getDefault()
        && tensor.values().form() == OnnxGraph.Form.RAW
        && tensor.values().range().length() >= SMALL;
  }

  private void replace(OnnxGraph.Range range, byte[] fields) {
    replacements.put(range.from(), new Replacement(range, fields));
  }

  /** The table keeps its values under another name; its own name is now the longer table. */
  private void append(GraphEdit.MoreEmbeddings more) throws IOException {
    OnnxGraph.Tensor table = table(more.ids());
    OnnxFile.Initializer constant = table.initializer();
    if (constant.shape().size() != 2 || constant.shape().get(1) != more.width()) {
      throw new IllegalArgumentException(
          "embeddings are %d wide, but this text encoder's table %s has the shape %s; they belong to another kind of model"
              .formatted(more.width(), constant.name(), constant.shape()));
    }
    if (constant.shape().get(0) != more.first()) {
      throw new ModelFormatException(
          "%s: the embedding table %s has %d rows, but the tokenizer's first new token is %d; the two belong to different models"
              .formatted(path, constant.name(), constant.shape().get(0), more.first()));
    }
    String name = constant.name();
    String own = name + ".own";
    String added = name + ".added";
    replace(table.range(), tensor(own, table));
    WireWriter rows =
        new WireWriter()
            .number(1, more.rows().length() / more.width())
            .number(1, more.width())
            .number(2, constant.type().code())
            .text(8, added)
            .bytes(9, encoded(more, constant));
    last.bytes(5, rows.toByteArray());
    byte[] axis = new WireWriter().text(1, "axis").number(3, 0).number(20, 2).toByteArray();
    first.bytes(1, node("Concat", name, own, added).bytes(5, axis).toByteArray());
  }

  private void adapt(GraphEdit.LowRankInputs inputs) throws IOException {
    OnnxLayers layers = OnnxLayers.of(graph);
    for (String name : inputs.layers()) {
      OnnxLayers.Layer layer = layers.require(path, name);
      LowRankNodes nodes = new LowRankNodes(name, layer);
      for (OnnxGraph.Node node : layer.nodes()) {
        WireWriter fields = new WireWriter();
        for (NodeProto replacing : nodes.replacing(proto(node))) {
          fields.bytes(1, replacing.toByteArray());
        }
        replace(node.range(), fields.toByteArray());
      }
      nodes.inputs().forEach(input -> last.bytes(11, input.toByteArray()));
    }
  }

  private NodeProto proto(OnnxGraph.Node node) throws IOException {
    CodedInputStream field = CodedInputStream.newInstance(bytes(node.range()));
    field.readTag();
    return NodeProto.parseFrom(field.readBytes());
  }

  private void merge(GraphEdit.Merged merged) throws IOException {
    OnnxLayers layers = OnnxLayers.of(graph);
    for (Map.Entry<String, LowRank> change : merged.changes().entrySet()) {
      OnnxLayers.Layer layer = layers.require(path, change.getKey());
      OnnxFile.Initializer constant = layer.weight().initializer();
      LowRank ofConstant = layer.turned() ? change.getValue().transposed() : change.getValue();
      ChangedElements elements =
          new ChangedElements(
              OnnxWeights.rows(graph, layer.weight()), ofConstant, constant.type().element());
      BuiltModel.Buffer buffer = new BuiltModel.Buffer(elements.type(), constant.shape(), elements);
      buffers.put(constant.name(), buffer);
      WireWriter out = header(constant.name(), constant);
      entry(out, "location", constant.name());
      entry(out, "offset", "0");
      entry(out, "length", Long.toString(buffer.length()));
      out.number(14, 1);
      replace(layer.weight().range(), new WireWriter().bytes(5, out.toByteArray()).toByteArray());
    }
  }

  private static WireWriter header(String name, OnnxFile.Initializer constant) {
    WireWriter out = new WireWriter();
    constant.shape().forEach(size -> out.number(1, size));
    return out.number(2, constant.type().code()).text(8, name);
  }

  /** The one table that the ids pick rows of, perhaps after a change of type or shape. */
  private OnnxGraph.Tensor table(String ids) {
    Set<String> values = new HashSet<>(Set.of(ids));
    Set<String> tables = new HashSet<>();
    for (OnnxGraph.Node node : graph.nodes()) {
      List<String> inputs = node.inputs();
      if (inputs.isEmpty()) {
        continue;
      }
      if (KEEPS_IDS.contains(node.operator()) && values.contains(inputs.get(0))) {
        values.addAll(node.outputs());
      } else if (node.operator().equals("Gather")
          && inputs.size() > 1
          && values.contains(inputs.get(1))) {
        tables.add(inputs.get(0));
      }
    }
    List<OnnxGraph.Tensor> found =
        graph.tensors().stream()
            .filter(tensor -> tables.contains(tensor.initializer().name()))
            .toList();
    if (found.size() != 1) {
      throw new ModelFormatException(
          "%s: expected one embedding table that %s picks rows of, found %s; export the text encoder without quantization or fusion"
              .formatted(path, ids, tables));
    }
    return found.get(0);
  }

  private byte[] encoded(GraphEdit.MoreEmbeddings more, OnnxFile.Initializer constant) {
    ElementType type = constant.type().element();
    if (!type.floating()) {
      throw new ModelFormatException(
          "%s: the embedding table %s holds %s, expected floats"
              .formatted(path, constant.name(), constant.type()));
    }
    float[] values = more.rows().toArray();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      type.put(bytes, value);
    }
    return bytes.array();
  }

  /** Every softmax of a text encoder is that of attention: what it reads gets the bias first. */
  private void bias(String input) throws IOException {
    int found = 0;
    for (OnnxGraph.Node node : graph.nodes()) {
      if (node.operator().equals("Softmax") && !node.inputs().isEmpty()) {
        String scores = node.inputs().get(0);
        String biased = input + ".scores." + found;
        String cast = input + ".cast." + found++;
        boolean castLike = graph.file().opset() >= 15;
        WireWriter nodes = new WireWriter();
        if (castLike) {
          nodes.bytes(1, node("CastLike", cast, input, scores).toByteArray());
        }
        nodes.bytes(1, node("Add", biased, scores, castLike ? cast : input).toByteArray());
        replace(node.range(), nodes.raw(withInput(node, biased)).toByteArray());
      }
    }
    if (found == 0) {
      throw new ModelFormatException(
          path
              + ": tokens cannot be hidden from this text encoder, for its attention is fused or"
              + " quantized; export it as it is, or weaken words by removing them from the prompt");
    }
    WireWriter dimension = new WireWriter().text(2, input + ".tokens");
    WireWriter shape = new WireWriter().bytes(1, dimension.toByteArray());
    WireWriter type =
        new WireWriter().number(1, OnnxType.FLOAT32.code()).bytes(2, shape.toByteArray());
    WireWriter value =
        new WireWriter()
            .text(1, input)
            .bytes(2, new WireWriter().bytes(1, type.toByteArray()).toByteArray());
    last.bytes(11, value.toByteArray());
  }

  private static WireWriter node(String operator, String output, String... inputs) {
    WireWriter node = new WireWriter();
    for (String input : inputs) {
      node.text(1, input);
    }
    return node.text(2, output).text(4, operator);
  }

  /** A node's field with another first input. */
  private byte[] withInput(OnnxGraph.Node node, String input) throws IOException {
    byte[] field = bytes(node.range());
    WireReader in = new WireReader(new ByteArrayInputStream(field), field.length, path.toString());
    in.next();
    in.enter();
    List<Integer> starts = new ArrayList<>();
    List<Integer> kinds = new ArrayList<>();
    while (in.next()) {
      starts.add((int) in.start());
      kinds.add(in.field());
    }
    starts.add(field.length);
    WireWriter out = new WireWriter();
    boolean done = false;
    for (int i = 0; i < kinds.size(); i++) {
      if (kinds.get(i) == 1 && !done) {
        out.text(1, input);
        done = true;
      } else {
        out.raw(field, starts.get(i), starts.get(i + 1));
      }
    }
    return new WireWriter().bytes(1, out.toByteArray()).toByteArray();
  }

  /** A constant's field under a name, with its values in it or as a reference to them. */
  private byte[] tensor(String name, OnnxGraph.Tensor tensor) throws IOException {
    OnnxFile.Initializer constant = tensor.initializer();
    WireWriter out = header(name, constant);
    OnnxGraph.Range values = tensor.values().range();
    boolean external = tensor.values().form() == OnnxGraph.Form.EXTERNAL;
    if (external || isReferable(tensor)) {
      String location = constant.externalData().orElseGet(() -> path.getFileName().toString());
      entry(out, "location", location);
      entry(out, "offset", Long.toString(values.from()));
      entry(out, "length", Long.toString(values.length()));
      out.number(14, 1);
    } else {
      int field =
          switch (tensor.values().form()) {
            case FLOATS -> 4;
            case INTEGERS -> 5;
            default -> 9;
          };
      out.bytes(field, bytes(values));
    }
    return new WireWriter().bytes(5, out.toByteArray()).toByteArray();
  }

  private static void entry(WireWriter tensor, String key, String value) {
    tensor.bytes(13, new WireWriter().text(1, key).text(2, value).toByteArray());
  }

  private byte[] bytes(OnnxGraph.Range range) throws IOException {
    if (range.length() > Integer.MAX_VALUE - 8) {
      throw new ModelFormatException(path + ": a part of it is larger than 2 GiB");
    }
    ByteBuffer buffer = ByteBuffer.allocate((int) range.length());
    file.position(range.from());
    while (buffer.hasRemaining()) {
      if (file.read(buffer) < 0) {
        throw new EOFException(path + ": the file became shorter while it was read");
      }
    }
    return buffer.array();
  }

  private byte[] model() throws IOException {
    long firstNode =
        graph.nodes().isEmpty() ? graph.content().from() : graph.nodes().get(0).range().from();
    WireWriter content = new WireWriter();
    long at = graph.content().from();
    replacements.putIfAbsent(
        firstNode, new Replacement(new OnnxGraph.Range(firstNode, firstNode), new byte[0]));
    for (Replacement replacement : replacements.values()) {
      content.raw(bytes(new OnnxGraph.Range(at, replacement.range().from())));
      if (replacement.range().from() == firstNode) {
        content.raw(first.toByteArray());
      }
      content.raw(replacement.fields());
      at = replacement.range().to();
    }
    content.raw(bytes(new OnnxGraph.Range(at, graph.content().to()))).raw(last.toByteArray());
    return new WireWriter()
        .raw(bytes(new OnnxGraph.Range(0, graph.whole().from())))
        .bytes(7, content.toByteArray())
        .raw(bytes(new OnnxGraph.Range(graph.whole().to(), graph.file().bytes())))
        .toByteArray();
  }
}
