package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.GraphEdit.LowRankInputs;
import java.util.ArrayList;
import java.util.List;

/** Adds changes of low rank, which are inputs of the graph, to the results of layers. */
final class LowRankPath {

  private LowRankPath() {}

  /** The result of a matrix, with the change where the graph has inputs for the layer. */
  static Value ofMatrix(Scope module, Value x, Value product) {
    Graph graph = module.graph();
    String layer = module.path();
    if (!graph.change(layer)) {
      return product;
    }
    Value down = graph.input(LowRankInputs.down(layer), x.type(), rank(layer), x.dim(-1));
    Value up = graph.input(LowRankInputs.up(layer), x.type(), product.dim(-1), rank(layer));
    return product.plus(Linear.product(Linear.product(x, down), up));
  }

  /** Likewise for a matrix whose result is in parts along its last axis. */
  static List<Value> ofParts(Scope module, Value x, List<Value> results) {
    Graph graph = module.graph();
    String layer = module.path();
    if (!graph.change(layer)) {
      return results;
    }
    long out = results.stream().mapToLong(result -> result.dim(-1)).sum();
    Value down = graph.input(LowRankInputs.down(layer), x.type(), rank(layer), x.dim(-1));
    Value up = graph.input(LowRankInputs.up(layer), x.type(), out, rank(layer));
    Value low = Linear.product(x, down);
    List<Value> ups = up.split(0, results.size());
    List<Value> changed = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      changed.add(results.get(i).plus(Linear.product(low, ups.get(i))));
    }
    return changed;
  }

  /** Likewise for a convolution. */
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
