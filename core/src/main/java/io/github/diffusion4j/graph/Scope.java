package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

/**
 * A module of a model: a graph, and the prefix of the keys of the module's weights.
 *
 * @param graph where layers add their nodes
 * @param path names of the modules around, joined by dots; "" for the model itself
 */
public record Scope(Graph graph, String path) {

  /** Checks that the parts are there. */
  public Scope {
    requireNonNull(graph, "graph");
    requireNonNull(path, "path");
  }

  /**
   * A module inside.
   *
   * @param name its name, which may hold dots
   * @return the scope
   */
  public Scope at(String name) {
    return new Scope(graph, key(name));
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
   * A weight of this module, in the precision of the computation.
   *
   * @param name such as {@code weight}
   * @param shape the shape that it must have
   * @return its value
   * @throws io.github.diffusion4j.ModelFormatException if it has another shape; a missing one is
   *     reported when the graph is built
   */
  public Value weight(String name, long... shape) {
    return graph.weights().value(key(name), shape, shape);
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
    return graph.weights().value(key(name), stored, seen);
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

  private String key(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }
}
