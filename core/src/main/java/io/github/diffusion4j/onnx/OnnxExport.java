package io.github.diffusion4j.onnx;

import com.google.protobuf.ByteString;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.StringStringEntryProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import io.github.diffusion4j.tensor.AtomicFile;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorType;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes a model as an ONNX file with its weights in it, or beside it where they are large. In one
 * that was built, weights that the graph casts first are written as the other type.
 */
public final class OnnxExport {

  /** Larger models have their weights in a file of their own: protobuf ends at 2 GiB. */
  private static final long INSIDE = 64L << 20;

  /** Weights begin at multiples of this, so that they can be mapped into memory. */
  private static final int ALIGNMENT = 4096;

  /** Smaller ones are not worth a page. */
  private static final int SMALL_ALIGNMENT = 64;

  private static final int CHUNK = 1 << 20;

  private final BuiltModel model;
  private final ModelProto.Builder proto;
  private final GraphProto.Builder graph;
  private final Map<String, TensorProto.DataType> targets = new HashMap<>();

  private OnnxExport(BuiltModel model) throws IOException {
    this.model = model;
    this.proto = ModelProto.parseFrom(model.bytes()).toBuilder();
    this.graph = proto.getGraphBuilder();
  }

  /**
   * Writes a model that was built.
   *
   * @param model the model; its weights are read from where they are
   * @param file the ONNX file; large weights are beside it under its name and {@code _data}
   * @throws IOException if a file cannot be read or written
   * @throws ModelFormatException if a file of weights is shorter than it was
   */
  public static void write(BuiltModel model, Path file) throws IOException {
    write(model, file, INSIDE);
  }

  /** Writes a model whose weights are beside it if they are of more bytes than given. */
  static void write(BuiltModel model, Path file, long inside) throws IOException {
    OnnxExport export = new OnnxExport(model);
    export.foldCasts();
    export.writeTo(file, inside);
  }

  /**
   * Writes a changed copy of an ONNX file. What the changes leave alone stays as it is, but for the
   * place of its values.
   *
   * @param network the file; weights beside it are read from where they are
   * @param edits changes of the graph
   * @param file the copy, in another folder; large weights are beside it under its name and {@code
   *     _data}
   * @throws IOException if a file cannot be read or written
   * @throws ModelFormatException if the graph cannot be changed so, or has weights in other files
   *     that are not the main graph's
   */
  public static void writeChanged(OnnxNetwork network, List<GraphEdit> edits, Path file)
      throws IOException {
    OnnxExport export = new OnnxExport(network.build(edits));
    export.requireNoInnerWeightsBeside(network.file());
    export.writeTo(file, INSIDE);
  }

  private void writeTo(Path file, long inside) throws IOException {
    if (size() > inside) {
      String name = file.getFileName() + "_data";
      try (OutputStream out =
          new BufferedOutputStream(Files.newOutputStream(file.resolveSibling(name)), 1 << 16)) {
        writeBeside(name, out);
      }
    } else {
      writeInside();
    }
    AtomicFile.write(file, proto.build()::writeTo);
  }

  /** Those would still be sought in files whose place the copy's own takes. */
  private void requireNoInnerWeightsBeside(Path file) {
    Optional<TensorProto> beside =
        graph.getNodeList().stream()
            .flatMap(OnnxExport::tensors)
            .filter(OnnxExport::isOutside)
            .findFirst();
    if (beside.isPresent()) {
      throw new ModelFormatException(
          "%s: the tensor \"%s\" of a node or an inner graph has its values in the file \"%s\", from which only weights of the main graph can be written anew; save the ONNX model with these values inside, or export it without changes of its weights"
              .formatted(
                  file, beside.get().getName(), external(beside.get(), "location").orElse("")));
    }
  }

  /** The tensors in a node and in the graphs in it. */
  private static Stream<TensorProto> tensors(NodeProto node) {
    return node.getAttributeList().stream()
        .flatMap(
            attribute ->
                Stream.concat(
                    Stream.concat(Stream.of(attribute.getT()), attribute.getTensorsList().stream()),
                    Stream.concat(Stream.of(attribute.getG()), attribute.getGraphsList().stream())
                        .flatMap(OnnxExport::tensors)));
  }

  private static Stream<TensorProto> tensors(GraphProto inner) {
    return Stream.concat(
        inner.getInitializerList().stream(),
        inner.getNodeList().stream().flatMap(OnnxExport::tensors));
  }

  /** A cast of a weight to floats that nothing else uses becomes the weight's type. */
  private void foldCasts() {
    if (hasInnerGraphs()) { // these may use a weight or its cast, too
      return;
    }
    Map<String, Integer> uses = new HashMap<>();
    graph
        .getNodeList()
        .forEach(n -> n.getInputList().forEach(in -> uses.merge(in, 1, Integer::sum)));
    Set<String> outputs =
        graph.getOutputList().stream().map(ValueInfoProto::getName).collect(Collectors.toSet());
    Map<String, TensorProto> weights = new HashMap<>();
    graph.getInitializerList().stream()
        .filter(tensor -> tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL)
        .filter(tensor -> type(tensor.getDataType()).isPresent())
        .forEach(tensor -> weights.put(tensor.getName(), tensor));
    Map<String, String> renamed = new HashMap<>();
    List<NodeProto> nodes = List.copyOf(graph.getNodeList());
    graph.clearNode();
    for (NodeProto node : nodes) {
      String from = node.getInputCount() == 0 ? "" : node.getInput(0);
      boolean ofWeight = node.getOpType().equals("Cast") && weights.containsKey(from);
      Optional<TensorProto.DataType> target = ofWeight ? target(node) : Optional.empty();
      boolean seen = outputs.contains(from) || !Collections.disjoint(outputs, node.getOutputList());
      if (target.isPresent() && uses.get(from) == 1 && !seen) {
        targets.put(from, target.get());
        renamed.put(node.getOutput(0), from);
      } else {
        NodeProto.Builder same = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
          same.setInput(i, renamed.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        graph.addNode(same);
      }
    }
  }

  /** The type that a cast makes, if it is one of {@link #type}. */
  private static Optional<TensorProto.DataType> target(NodeProto cast) {
    return cast.getAttributeList().stream()
        .filter(attribute -> attribute.getName().equals("to"))
        .map(attribute -> TensorProto.DataType.forNumber((int) attribute.getI()))
        .filter(target -> target != null && type(target.getNumber()).isPresent())
        .findFirst();
  }

  private boolean hasInnerGraphs() {
    return graph.getNodeList().stream()
        .flatMap(node -> node.getAttributeList().stream())
        .anyMatch(attribute -> attribute.hasG() || attribute.getGraphsCount() > 0);
  }

  private long size() {
    long total = 0;
    for (TensorProto tensor : graph.getInitializerList()) {
      total += tensor.getRawData().size() + (isOutside(tensor) ? length(tensor) : 0);
    }
    return total;
  }

  private static boolean isOutside(TensorProto tensor) {
    return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
  }

  /** Bytes of a weight as it is written. */
  private long length(TensorProto tensor) {
    TensorProto.DataType target = targets.get(tensor.getName());
    return target == null
        ? stored(tensor)
        : elements(tensor) * type(target.getNumber()).orElseThrow().bits() / 8;
  }

  /** Bytes of a weight in its file, which exporters need not tell. */
  private static long stored(TensorProto tensor) {
    return external(tensor, "length").map(Long::parseLong).orElseGet(() -> bytes(tensor));
  }

  private static long bytes(TensorProto tensor) {
    long bits = elements(tensor) * OnnxType.values()[tensor.getDataType() - 1].bits();
    return (bits + 7) / 8;
  }

  private static long elements(TensorProto tensor) {
    return tensor.getDimsList().stream().reduce(1L, Math::multiplyExact);
  }

  private void writeInside() throws IOException {
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = graph.getInitializer(i);
      if (isOutside(tensor)) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(tensor, bytes);
        graph.setInitializer(
            i,
            header(tensor)
                .clearDataLocation()
                .clearExternalData()
                .setRawData(ByteString.copyFrom(bytes.toByteArray())));
      }
    }
  }

  private void writeBeside(String name, OutputStream out) throws IOException {
    long at = 0;
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = graph.getInitializer(i);
      if (isOutside(tensor)) {
        long length = length(tensor);
        int alignment = length >= ALIGNMENT ? ALIGNMENT : SMALL_ALIGNMENT;
        long start = (at + alignment - 1) / alignment * alignment;
        out.write(new byte[(int) (start - at)]);
        write(tensor, out);
        at = start + length;
        graph.setInitializer(
            i,
            header(tensor)
                .clearExternalData()
                .addExternalData(entry("location", name))
                .addExternalData(entry("offset", Long.toString(start)))
                .addExternalData(entry("length", Long.toString(length))));
      }
    }
  }

  private TensorProto.Builder header(TensorProto tensor) {
    int type =
        Optional.ofNullable(targets.get(tensor.getName()))
            .map(TensorProto.DataType::getNumber)
            .orElse(tensor.getDataType());
    return tensor.toBuilder().setDataType(type);
  }

  /** Writes a weight's elements, in parts. */
  private void write(TensorProto tensor, OutputStream out) throws IOException {
    BuiltModel.Buffer buffer = model.buffers().get(tensor.getName());
    TensorProto.DataType target = targets.get(tensor.getName());
    BuiltModel.Sink sink =
        part -> out.write(target == null ? bytes(part) : converted(tensor, part, target));
    if (buffer != null) {
      buffer.elements().writeTo(sink);
      return;
    }
    long total = stored(tensor);
    long offset = external(tensor, "offset").map(Long::parseLong).orElse(0L);
    for (long from = 0; from < total; from += CHUNK) {
      sink.accept(read(tensor, offset + from, (int) Math.min(CHUNK, total - from)));
    }
  }

  private ByteBuffer read(TensorProto tensor, long from, int count) throws IOException {
    Path file = model.folder().orElseThrow().resolve(external(tensor, "location").orElseThrow());
    return new TensorInfo(tensor.getName(), file, TensorType.U8, List.of((long) count), from, count)
        .readBytes();
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static byte[] converted(
      TensorProto tensor, ByteBuffer part, TensorProto.DataType target) {
    TensorType from = type(tensor.getDataType()).orElseThrow();
    List<Long> count = List.of(part.remaining() * 8L / from.bits());
    float[] values =
        new TensorInfo(tensor.getName(), Path.of(""), from, count, 0, part.remaining())
            .floats(part);
    ElementType to = OnnxType.values()[target.getNumber() - 1].element();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * to.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      to.put(bytes, value);
    }
    return bytes.array();
  }

  /** The types whose elements are read and written as numbers here. */
  private static Optional<TensorType> type(int code) {
    return switch (TensorProto.DataType.forNumber(code)) {
      case FLOAT -> Optional.of(TensorType.F32);
      case FLOAT16 -> Optional.of(TensorType.F16);
      case BFLOAT16 -> Optional.of(TensorType.BF16);
      case DOUBLE -> Optional.of(TensorType.F64);
      default -> Optional.empty();
    };
  }

  private static Optional<String> external(TensorProto tensor, String key) {
    return tensor.getExternalDataList().stream()
        .filter(entry -> entry.getKey().equals(key))
        .findFirst()
        .map(StringStringEntryProto::getValue);
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
