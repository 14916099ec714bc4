package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads the parts of ONNX's ModelProto (onnx.proto, IR version 3 to 13) that {@link OnnxFile}
 * tells.
 */
final class OnnxParser {

  private static final int MAX_RANK = 64;

  private final WireReader in;
  private final List<TensorSpec> inputs = new ArrayList<>();
  private final List<TensorSpec> outputs = new ArrayList<>();
  private final List<OnnxGraph.Tensor> tensors = new ArrayList<>();
  private final Set<String> initialized = new HashSet<>();
  private final List<OnnxGraph.Node> nodes = new ArrayList<>();
  private long opset;

  OnnxParser(WireReader in) {
    this.in = in;
  }

  OnnxGraph parse(Path file, long size) throws IOException {
    String producer = "";
    String version = "";
    OnnxGraph.Range graph = null;
    OnnxGraph.Range content = null;
    while (in.next()) {
      switch (in.field()) {
        case 2 -> producer = in.text();
        case 3 -> version = in.text();
        case 7 -> {
          if (graph != null) {
            throw in.error("there are two graphs in it");
          }
          long start = in.start();
          long outer = in.enter();
          long first = in.position();
          graph();
          in.leave(outer);
          graph = new OnnxGraph.Range(start, in.position());
          content = new OnnxGraph.Range(first, in.position());
        }
        case 8 -> {
          long outer = in.enter();
          operators();
          in.leave(outer);
        }
        default -> {}
      }
    }
    if (graph == null) {
      throw in.error("there is no graph in it");
    }
    inputs.removeIf(input -> initialized.contains(input.name()));
    OnnxFile summary =
        new OnnxFile(
            file,
            size,
            (producer + " " + version).strip(),
            opset,
            nodes.size(),
            nodes.stream().map(OnnxGraph.Node::operator).collect(Collectors.toSet()),
            inputs,
            outputs,
            tensors.stream().map(OnnxGraph.Tensor::initializer).toList());
    return new OnnxGraph(summary, graph, content, nodes, tensors);
  }

  /** An OperatorSetIdProto. */
  private void operators() throws IOException {
    String domain = "";
    long version = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> domain = in.text();
        case 2 -> version = in.integer();
        default -> {}
      }
    }
    if (domain.isEmpty() || domain.equals("ai.onnx")) {
      opset = version;
    }
  }

  /** A GraphProto. */
  private void graph() throws IOException {
    while (in.next()) {
      switch (in.field()) {
        case 1 -> {
          long start = in.start();
          long outer = in.enter();
          node(start);
          in.leave(outer);
        }
        case 5 -> {
          long start = in.start();
          long outer = in.enter();
          tensor(start);
          in.leave(outer);
        }
        case 11, 12 -> {
          List<TensorSpec> values = in.field() == 11 ? inputs : outputs;
          long outer = in.enter();
          values.add(value());
          in.leave(outer);
        }
        default -> {}
      }
    }
  }

  /** A NodeProto; what it computes beyond its operator is not of interest. */
  private void node(long start) throws IOException {
    List<String> from = new ArrayList<>();
    List<String> to = new ArrayList<>();
    String name = "";
    String operator = "";
    String domain = "";
    Set<String> attributes = new HashSet<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> from.add(in.text());
        case 2 -> to.add(in.text());
        case 3 -> name = in.text();
        case 4 -> operator = in.text();
        case 5 -> attributes.add(attribute());
        case 7 -> domain = in.text();
        default -> {}
      }
    }
    boolean standard = domain.isEmpty() || domain.equals("ai.onnx");
    boolean transposes = attributes.contains("transB=1") && (standard || attributes.size() == 1);
    nodes.add(
        new OnnxGraph.Node(
            name,
            standard ? operator : domain + "." + operator,
            from,
            to,
            transposes,
            new OnnxGraph.Range(start, in.position())));
  }

  /** An AttributeProto: its name, and its value if that is an integer. */
  private String attribute() throws IOException {
    long outer = in.enter();
    String name = "";
    long value = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> name = in.text();
        case 3 -> value = in.integer();
        default -> {}
      }
    }
    in.leave(outer);
    return name + "=" + value;
  }

  /** A TensorProto. */
  private void tensor(long start) throws IOException {
    List<Long> shape = new ArrayList<>();
    OnnxType type = null;
    String name = "";
    OnnxGraph.Values values = OnnxGraph.Values.NONE;
    Map<String, String> place = new HashMap<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> dimensions(shape);
        case 2 -> type = OnnxType.of(in.integer(), in);
        case 4 -> values = values(OnnxGraph.Form.FLOATS, values);
        case 5 -> values = values(OnnxGraph.Form.INTEGERS, values);
        case 8 -> name = in.text();
        case 9 -> values = values(OnnxGraph.Form.RAW, values);
        case 13 -> externalEntry(place);
        case 14 -> values = in.integer() == 1 ? OnnxGraph.Values.EXTERNAL : values;
        default -> {}
      }
    }
    if (type == null) {
      throw in.error("tensor \"" + name + "\" has no type");
    }
    long bits = bits(name, type, shape);
    Optional<String> location = Optional.empty();
    if (values.form() == OnnxGraph.Form.RAW) {
      long held = values.range().length();
      if (held != bits / 8 + (bits % 8 == 0 ? 0 : 1)) {
        throw in.error(
            "tensor \"%s\" %s%s holds %d bytes of values".formatted(name, type, shape, held));
      }
    } else if (values.form() == OnnxGraph.Form.EXTERNAL) {
      location = Optional.ofNullable(place.get("location"));
      if (location.isEmpty()) {
        throw in.error("tensor \"" + name + "\" does not say in which file its values are");
      }
      values = externalValues(name, place, bits / 8);
    }
    initialized.add(name);
    tensors.add(
        new OnnxGraph.Tensor(
            new OnnxFile.Initializer(name, type, shape, location),
            new OnnxGraph.Range(start, in.position()),
            values));
  }

  /** Where values in the file are; an external tensor keeps to its own file. */
  private OnnxGraph.Values values(OnnxGraph.Form form, OnnxGraph.Values before) throws IOException {
    if (!in.isBytes()) {
      return before; // numbers one by one, as no exporter writes them
    }
    long length = in.skipBytes();
    return before.form() == OnnxGraph.Form.EXTERNAL
        ? before
        : new OnnxGraph.Values(form, new OnnxGraph.Range(in.position() - length, in.position()));
  }

  private OnnxGraph.Values externalValues(String name, Map<String, String> place, long bytes) {
    try {
      long offset = Long.parseLong(place.getOrDefault("offset", "0"));
      long length = Long.parseLong(place.getOrDefault("length", Long.toString(bytes)));
      if (offset >= 0 && length == bytes) {
        return new OnnxGraph.Values(
            OnnxGraph.Form.EXTERNAL, new OnnxGraph.Range(offset, Math.addExact(offset, length)));
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // no numbers: refused below
    }
    throw in.error(
        "tensor \"%s\" of %d bytes cannot be at %s of its file".formatted(name, bytes, place));
  }

  private void dimensions(List<Long> shape) throws IOException {
    if (in.isBytes()) {
      long outer = in.enter();
      while (in.more()) {
        dimension(shape, in.varint());
      }
      in.leave(outer);
    } else {
      dimension(shape, in.integer());
    }
  }

  private void dimension(List<Long> shape, long size) {
    if (size < 0 || shape.size() == MAX_RANK) {
      throw in.error("a tensor has more than " + MAX_RANK + " dimensions or one of size " + size);
    }
    shape.add(size);
  }

  /** Refuses tensors whose size is not a number; no memory could hold them. */
  private long bits(String name, OnnxType type, List<Long> shape) {
    try {
      long elements = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
      return Math.multiplyExact(elements, type.bits());
    } catch (ArithmeticException e) {
      throw in.error("tensor \"" + name + "\" of " + shape + " is too large");
    }
  }

  /** A StringStringEntryProto of external data. */
  private void externalEntry(Map<String, String> place) throws IOException {
    String key = "";
    String value = "";
    long outer = in.enter();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> key = in.text();
        case 2 -> value = in.text();
        default -> {}
      }
    }
    in.leave(outer);
    place.put(key, value);
  }

  /** A ValueInfoProto. */
  private TensorSpec value() throws IOException {
    String name = "";
    ElementType type = ElementType.UNSUPPORTED;
    List<Long> shape = new ArrayList<>();
    List<String> names = new ArrayList<>();
    while (in.next()) {
      if (in.field() == 1) {
        name = in.text();
      } else if (in.field() == 2) {
        long outer = in.enter();
        type = type(shape, names);
        in.leave(outer);
      }
    }
    return new TensorSpec(name, type, shape, names);
  }

  /** A TypeProto; its tensor type alone is of interest. */
  private ElementType type(List<Long> shape, List<String> names) throws IOException {
    ElementType type = ElementType.UNSUPPORTED;
    while (in.next()) {
      if (in.field() == 1) {
        long outer = in.enter();
        while (in.next()) {
          if (in.field() == 1) {
            type = OnnxType.of(in.integer(), in).element();
          } else if (in.field() == 2) {
            long around = in.enter();
            shape(shape, names);
            in.leave(around);
          }
        }
        in.leave(outer);
      }
    }
    return type;
  }

  /** A TensorShapeProto. */
  private void shape(List<Long> shape, List<String> names) throws IOException {
    while (in.next()) {
      if (in.field() == 1) {
        long size = -1;
        String name = "";
        long outer = in.enter();
        while (in.next()) {
          if (in.field() == 1) {
            size = in.integer();
          } else if (in.field() == 2) {
            name = in.text();
          }
        }
        in.leave(outer);
        dimension(shape, Math.max(0, size));
        shape.set(shape.size() - 1, Math.max(-1, size));
        names.add(name);
      }
    }
  }
}
