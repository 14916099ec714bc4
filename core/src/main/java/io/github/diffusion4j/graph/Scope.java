package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.onnx.ElementType;
import java.util.List;

/**
 * A module of a model: a graph, and the prefix of the keys of the module's weights.
 *
 * @param graph where layers add their nodes
 * @param path names of the modules around, joined by dots; "" for the model itself
 * @param type precision that the module computes in
 */
public record Scope(Graph graph, String path, ElementType type) {

  /** Checks that the parts are there. */
  public Scope {
    requireNonNull(graph, "graph");
    requireNonNull(path, "path");
    requireNonNull(type, "type");
  }

  /**
   * A module inside.
   *
   * @param name its name, which may hold dots
   * @return the scope
   */
  public Scope at(String name) {
    return new Scope(graph, key(name), type);
  }

  /**
   * This module in another precision.
   *
   * @param other the type that its weights get
   * @return the scope
   */
  public Scope in(ElementType other) {
    return new Scope(graph, path, other);
  }

  /**
   * A module of a list inside.
   *
   * @param list the list's name
   * @param index the module's place in it
   * @return the scope
   */
  public Scope at(String list, int index) {
    return at(list + "." + index);
  }

  /**
   * A weight of this module, in its precision.
   *
   * @param name such as {@code weight}
   * @param shape the shape that it must have
   * @return its value
   * @throws io.github.diffusion4j.ModelFormatException if it has another shape; a missing one is
   *     reported when the graph is built
   */
  public Value weight(String name, long... shape) {
    return graph.weights().value(key(name), type, shape, shape);
  }

  /**
   * A weight of this module, seen in another shape.
   *
   * @param name such as {@code weight}
   * @param stored the shape that it must have
   * @param seen the shape of the value, with as many elements
   * @return its value
   */
  public Value weight(String name, long[] stored, long[] seen) {
    return graph.weights().value(key(name), type, stored, seen);
  }

  /**
   * A weight of this module taken apart along its first axis.
   *
   * @param name such as {@code weight}
   * @param parts how many equal parts
   * @param shape the shape that the whole must have
   * @return the parts in order
   */
  List<Value> weightParts(String name, int parts, long... shape) {
    return graph.weights().parts(key(name), type, parts, shape);
  }

  /**
   * Whether the model has a weight.
   *
   * @param name such as {@code bias}
   * @return true if it is there
   */
  public boolean has(String name) {
    return graph.weights().has(key(name));
  }

  /**
   * How many dimensions a weight is stored with.
   *
   * @param name such as {@code weight}
   * @return 0 if it is not there
   */
  int rank(String name) {
    return graph.weights().rank(key(name));
  }

  private String key(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
