package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.GraphEdit.LowRankInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Changes of low rank, which are inputs of the graph, beside layers.
 *
 * <p>The change of a matrix is added where its bias is, or would be. It has as many rows as {@link
 * LowRankInputs#ROWS} says: all, or where nothing is changed one that stands for all, so that a
 * graph may always have such inputs.
 */
final class LowRankPath {

  private LowRankPath() {}

  /**
   * What is added to a product with a matrix: the bias, and the change where the graph has inputs
   * for the layer.
   *
   * @return [..., out], of all rows or of one; empty if there is neither
   */
  static Optional<Value> added(Scope module, Value x, long out, Optional<Value> bias) {
    boolean free = x.rank() == 2 || bias.isPresent();
    Optional<Value> low = low(module, x, free);
    return low.isEmpty() ? bias : Optional.of(Linear.layer(low.get(), up(module, x, out), bias));
  }

  /** Likewise for a matrix that is in parts along its first axis. */
  static List<Value> added(Scope module, Value x, long out, List<Value> biases) {
    Optional<Value> low = low(module, x, true);
    if (low.isEmpty()) {
      return biases;
    }
    List<Value> ups = up(module, x, out).split(0, biases.size());
    List<Value> added = new ArrayList<>();
    for (int i = 0; i < biases.size(); i++) {
      added.add(Linear.layer(low.get(), ups.get(i), Optional.of(biases.get(i))));
    }
    return added;
  }

  /**
   * The product with the first matrix of a change, as many rows of it as are changed.
   *
   * @param free whether it costs nothing to add something to the layer's result
   */
  private static Optional<Value> low(Scope module, Value x, boolean free) {
    Graph graph = module.graph();
    String layer = module.path();
    boolean wanted = graph.change(layer);
    if (!wanted && !(free && graph.options().changeable())) {
      return Optional.empty();
    }
    Value down = graph.input(LowRankInputs.down(layer), x.type(), rank(layer), x.dim(-1));
    return Optional.of(first(graph.changedRows(), Linear.product(x, down)));
  }

  private static Value up(Scope module, Value x, long out) {
    String layer = module.path();
    return module.graph().input(LowRankInputs.up(layer), x.type(), out, rank(layer));
  }

  /** As many of the first rows. */
  private static Value first(Value count, Value x) {
    Graph graph = x.graph();
    int axis = x.rank() - 2;
    long[] known = x.shape();
    known[axis] = Value.FREE;
    return graph
        .node("Slice")
        .in(x, graph.constant(0), count, graph.constant(axis))
        .out(x.type(), known);
  }

  /** The result of a convolution, with the change where the graph has inputs for the layer. */
  static Value ofConvolution(Scope module, Value x, Value result, Convolution.Window window) {
    Graph graph = module.graph();
    String layer = module.path();
    if (!graph.change(layer)) {
      return result;
    }
    long kernel = window.kernel();
    Value down =
        graph.input(LowRankInputs.down(layer), x.type(), rank(layer), x.dim(1), kernel, kernel);
    Value up = graph.input(LowRankInputs.up(layer), x.type(), result.dim(1), rank(layer), 1, 1);
    Value low = Convolution.node(x, down, window).out(x.type(), x.dim(0), -1, -1, -1);
    Value high = graph.node("Conv").in(low, up).out(x.type(), result.shape());
    return result.plus(high);
  }

  private static String rank(String layer) {
    return LowRankInputs.down(layer) + ".rank";
  }
}
