package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import java.util.ArrayList;
import java.util.List;

/** A node of a graph in the making; added to the graph when its result is asked for. */
public final class Node {

  private final Graph graph;
  private final NodeProto.Builder proto;

  Node(Graph graph, String operator) {
    this.graph = graph;
    this.proto = NodeProto.newBuilder().setOpType(operator);
  }

  /**
   * Takes the operator from ONNX Runtime's own set.
   *
   * @return this node
   */
  public Node microsoft() {
    proto.setDomain(Graph.MICROSOFT);
    return this;
  }

  /**
   * Adds inputs.
   *
   * @param values in the operator's order
   * @return this node
   */
  public Node in(Value... values) {
    for (Value value : values) {
      if (value.graph() != graph) {
        throw new IllegalArgumentException("values must be of the same graph, got " + value);
      }
      proto.addInput(value.name());
    }
    return this;
  }

  /**
   * Leaves an optional input out that others follow.
   *
   * @return this node
   */
  public Node without() {
    proto.addInput("");
    return this;
  }

  /**
   * Sets an attribute.
   *
   * @param name its name
   * @param value an integer
   * @return this node
   */
  public Node with(String name, long value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.INT)
            .setI(value));
    return this;
  }

  /**
   * Sets an attribute.
   *
   * @param name its name
   * @param value a number
   * @return this node
   */
  public Node with(String name, float value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.FLOAT)
            .setF(value));
    return this;
  }

  /**
   * Sets an attribute.
   *
   * @param name its name
   * @param values integers
   * @return this node
   */
  public Node with(String name, long[] values) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.INTS)
            .addAllInts(Graph.list(values)));
    return this;
  }

  /**
   * Sets an attribute.
   *
   * @param name its name
   * @param value a text
   * @return this node
   */
  public Node with(String name, String value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.STRING)
            .setS(com.google.protobuf.ByteString.copyFromUtf8(value)));
    return this;
  }

  /**
   * Adds the node to its graph.
   *
   * @param type element type of the result
   * @param shape its dimensions, {@link Value#FREE} where they are known only in a run
   * @return its result
   */
  public Value out(ElementType type, long... shape) {
    return out(1, type, shape).get(0);
  }

  /**
   * Adds the node to its graph.
   *
   * @param count number of results, all of one type and shape
   * @param type element type of the results
   * @param shape their dimensions
   * @return the results
   */
  public List<Value> out(int count, ElementType type, long... shape) {
    List<Value> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Value value = new Value(graph, graph.unique(proto.getOpType()), type, shape);
      proto.addOutput(value.name());
      values.add(value);
    }
    graph.add(proto.setName(proto.getOutput(0)).build());
    return values;
  }
}
