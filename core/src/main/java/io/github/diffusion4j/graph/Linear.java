package io.github.diffusion4j.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Fully connected layers and embedding tables. Weights are [out, in], as PyTorch stores them. */
public final class Linear {

  private Linear() {}

  /**
   * Times the transposed weight, plus the bias where the model has one.
   *
   * @param module has {@code weight} and perhaps {@code bias}
   * @param x [..., in]
   * @param out width of the result
   * @return [..., out]
   */
  public static Value linear(Scope module, Value x, long out) {
    return biased(module, x, module.weight("weight", out, x.dim(-1)));
  }

  /**
   * The layer that a convolution with a kernel of one place is.
   *
   * @param module has {@code weight} [out, in, 1, 1] and perhaps {@code bias}
   * @param x [..., in]
   * @param out width of the result
   * @return [..., out]
   */
  public static Value pointwise(Scope module, Value x, long out) {
    long in = x.dim(-1);
    Value weight = module.weight("weight", new long[] {out, in, 1, 1}, new long[] {out, in});
    return biased(module, x, weight);
  }

  /**
   * A layer whose result is taken apart along its last axis: each part is computed by itself.
   *
   * @param module has {@code weight} and {@code bias}
   * @param x [rows, in]
   * @param out width of all parts together
   * @param parts how many
   * @return each [rows, out / parts]
   */
  static List<Value> linearParts(Scope module, Value x, long out, int parts) {
    List<Value> weights = module.weightParts("weight", parts, out, x.dim(-1));
    List<Value> biases = module.weightParts("bias", parts, out);
    List<Value> added = LowRankPath.added(module, x, out, biases);
    List<Value> results = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      results.add(layer(x, weights.get(i), Optional.of(added.get(i))));
    }
    return results;
  }

  private static Value biased(Scope module, Value x, Value weight) {
    return changed(
        module,
        x,
        weight,
        module.has("bias") ? Optional.of(module.weight("bias", weight.dim(0))) : Optional.empty());
  }

  private static Value changed(Scope module, Value x, Value weight, Optional<Value> bias) {
    return layer(x, weight, LowRankPath.added(module, x, weight.dim(0), bias));
  }

  /** Times a transposed matrix, plus what has one row or as many as the product. */
  static Value layer(Value x, Value weight, Optional<Value> added) {
    if (added.isEmpty() || x.rank() > 2) {
      Value product = product(x, weight);
      return added.map(product::plus).orElse(product);
    }
    return x.graph()
        .node("Gemm")
        .in(x, weight, added.get())
        .with("transB", 1)
        .out(x.type(), x.dim(0), weight.dim(0));
  }

  /**
   * Times the transposed weight.
   *
   * @param module has {@code weight}
   * @param x [..., in]
   * @param out width of the result
   * @return [..., out]
   */
  public static Value linearWithoutBias(Scope module, Value x, long out) {
    return changed(module, x, module.weight("weight", out, x.dim(-1)), Optional.empty());
  }

  /** Times a transposed matrix. */
  static Value product(Value x, Value weight) {
    long[] shape = x.shape();
    shape[shape.length - 1] = weight.dim(0);
    return x.graph()
        .node("FusedMatMul")
        .microsoft()
        .in(x, weight)
        .with("transB", 1)
        .out(x.type(), shape);
  }
}
