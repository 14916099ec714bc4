package io.github.diffusion4j.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes ONNX models of a few nodes for tests: protobuf by hand, field numbers of onnx.proto. Free
 * dimensions are negative.
 */
public final class TinyOnnx {

  /** TensorProto.DataType. */
  public static final int FLOAT = 1;

  /** TensorProto.DataType. */
  public static final int INT64 = 7;

  /** TensorProto.DataType. */
  public static final int FLOAT16 = 10;

  /** TensorProto.DataType. */
  public static final int BFLOAT16 = 16;

  private final ByteArrayOutputStream graph = new ByteArrayOutputStream();

  /** An input of the graph. */
  public TinyOnnx input(String name, int type, long... shape) {
    field(graph, 11, valueInfo(name, type, shape));
    return this;
  }

  /** An output of the graph. */
  public TinyOnnx output(String name, int type, long... shape) {
    field(graph, 12, valueInfo(name, type, shape));
    return this;
  }

  /** A node of one output. */
  public TinyOnnx node(String operator, String output, String... inputs) {
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    for (String input : inputs) {
      field(node, 1, text(input));
    }
    field(node, 2, text(output));
    field(node, 4, text(operator));
    field(graph, 1, node.toByteArray());
    return this;
  }

  /** A node that changes the element type. */
  public TinyOnnx cast(String output, String input, int type) {
    ByteArrayOutputStream attribute = new ByteArrayOutputStream();
    field(attribute, 1, text("to"));
    number(attribute, 3, type);
    number(attribute, 20, 2);
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    field(node, 1, text(input));
    field(node, 2, text(output));
    field(node, 4, text("Cast"));
    field(node, 5, attribute.toByteArray());
    field(graph, 1, node.toByteArray());
    return this;
  }

  /** A constant whose bytes are in the file. */
  public TinyOnnx constant(String name, int type, byte[] values, long... shape) {
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    for (long size : shape) {
      number(tensor, 1, size);
    }
    number(tensor, 2, type);
    field(tensor, 8, text(name));
    field(tensor, 9, values);
    field(graph, 5, tensor.toByteArray());
    return this;
  }

  /** A vector of floats whose values are in another file. */
  public TinyOnnx external(String name, String location, int count) {
    return external(name, location, FLOAT, count);
  }

  /** A vector whose values are in another file. */
  public TinyOnnx external(String name, String location, int type, int count) {
    ByteArrayOutputStream entry = new ByteArrayOutputStream();
    field(entry, 1, text("location"));
    field(entry, 2, text(location));
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    number(tensor, 1, count);
    number(tensor, 2, type);
    field(tensor, 8, text(name));
    field(tensor, 13, entry.toByteArray());
    number(tensor, 14, 1);
    field(graph, 5, tensor.toByteArray());
    return this;
  }

  /** The model file's bytes. */
  public byte[] bytes() {
    field(graph, 2, text("tiny"));
    ByteArrayOutputStream opset = new ByteArrayOutputStream();
    number(opset, 2, 17);
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    number(model, 1, 8);
    field(model, 7, graph.toByteArray());
    field(model, 8, opset.toByteArray());
    return model.toByteArray();
  }

  private static byte[] valueInfo(String name, int type, long... shape) {
    ByteArrayOutputStream dims = new ByteArrayOutputStream();
    for (int axis = 0; axis < shape.length; axis++) {
      ByteArrayOutputStream dim = new ByteArrayOutputStream();
      if (shape[axis] < 0) {
        field(dim, 2, text(name + "_" + axis));
      } else {
        number(dim, 1, shape[axis]);
      }
      field(dims, 1, dim.toByteArray());
    }
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    number(tensor, 1, type);
    field(tensor, 2, dims.toByteArray());
    ByteArrayOutputStream typeProto = new ByteArrayOutputStream();
    field(typeProto, 1, tensor.toByteArray());
    ByteArrayOutputStream info = new ByteArrayOutputStream();
    field(info, 1, text(name));
    field(info, 2, typeProto.toByteArray());
    return info.toByteArray();
  }

  private static byte[] text(String value) {
    return value.getBytes(StandardCharsets.UTF_8);
  }

  private static void field(ByteArrayOutputStream out, int number, byte[] content) {
    varint(out, (long) number << 3 | 2);
    varint(out, content.length);
    out.writeBytes(content);
  }

  private static void number(ByteArrayOutputStream out, int number, long value) {
    varint(out, (long) number << 3);
    varint(out, value);
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
