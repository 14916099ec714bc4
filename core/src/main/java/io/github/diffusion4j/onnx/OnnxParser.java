package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the parts of ONNX's ModelProto (onnx.proto, IR version 3 to 13) that {@link OnnxFile}
 * tells.
 */
final class OnnxParser {

  private static final int MAX_RANK = 64;

  private final WireReader in;
  private final List<TensorSpec> inputs = new ArrayList<>();
  private final List<TensorSpec> outputs = new ArrayList<>();
  private final List<OnnxFile.Initializer> initializers = new ArrayList<>();
  private final Set<String> initialized = new HashSet<>();
  private int nodes;
  private long opset;

  OnnxParser(WireReader in) {
    this.in = in;
  }

  OnnxFile parse(Path file, long size) throws IOException {
    String producer = "";
    String version = "";
    boolean graph = false;
    while (in.next()) {
      switch (in.field()) {
        case 2 -> producer = in.text();
        case 3 -> version = in.text();
        case 7 -> {
          long outer = in.enter();
          graph();
          in.leave(outer);
          graph = true;
        }
        case 8 -> {
          long outer = in.enter();
          operators();
          in.leave(outer);
        }
        default -> {}
      }
    }
    if (!graph) {
      throw in.error("there is no graph in it");
    }
    inputs.removeIf(input -> initialized.contains(input.name()));
    return new OnnxFile(
        file,
        size,
        (producer + " " + version).strip(),
        opset,
        nodes,
        inputs,
        outputs,
        initializers);
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
        case 1 -> nodes++;
        case 5 -> {
          long outer = in.enter();
          tensor();
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

  /** A TensorProto. */
  private void tensor() throws IOException {
    List<Long> shape = new ArrayList<>();
    OnnxType type = null;
    String name = "";
    long raw = -1;
    boolean external = false;
    Optional<String> location = Optional.empty();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> dimensions(shape);
        case 2 -> type = OnnxType.of(in.integer(), in);
        case 8 -> name = in.text();
        case 9 -> raw = in.skipBytes();
        case 13 -> location = location.isPresent() ? location : location();
        case 14 -> external = in.integer() == 1;
        default -> {}
      }
    }
    if (type == null) {
      throw in.error("tensor \"" + name + "\" has no type");
    }
    long bits = bits(name, type, shape);
    if (!external && raw >= 0 && raw != bits / 8 + (bits % 8 == 0 ? 0 : 1)) {
      throw in.error(
          "tensor \"%s\" %s%s holds %d bytes of values".formatted(name, type, shape, raw));
    }
    if (external && location.isEmpty()) {
      throw in.error("tensor \"" + name + "\" does not say in which file its values are");
    }
    initialized.add(name);
    initializers.add(
        new OnnxFile.Initializer(name, type, shape, external ? location : Optional.empty()));
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
  private Optional<String> location() throws IOException {
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
    return key.equals("location") ? Optional.of(value) : Optional.empty();
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
