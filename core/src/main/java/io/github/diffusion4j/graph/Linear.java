package io.github.diffusion4j.graph;

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
    Value product = linearWithoutBias(module, x, out);
    return module.has("bias") ? product.plus(module.weight("bias", out)) : product;
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
    Value product = LowRankPath.ofMatrix(module, x, product(x, weight));
    return module.has("bias") ? product.plus(module.weight("bias", out)) : product;
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
    Value product = product(x, module.weight("weight", out, x.dim(-1)));
    return LowRankPath.ofMatrix(module, x, product);
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
