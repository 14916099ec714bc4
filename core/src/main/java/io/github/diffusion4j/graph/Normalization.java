package io.github.diffusion4j.graph;

/** Normalization layers with a learned scale and shift. */
public final class Normalization {

  private Normalization() {}

  /**
   * Layer normalization over the last axis (Ba et al. 2016, arXiv 1607.06450).
   *
   * @param module has {@code weight} and {@code bias}
   * @param x [..., width]
   * @param epsilon added to the variance
   * @return the same shape
   */
  public static Value layerNorm(Scope module, Value x, double epsilon) {
    long width = x.dim(-1);
    return x.graph()
        .node("LayerNormalization")
        .in(x, module.weight("weight", width), module.weight("bias", width))
        .with("axis", -1)
        .with("epsilon", (float) epsilon)
        .out(x.type(), x.shape());
  }

  /**
   * Layer normalization over the last axis without scale and shift.
   *
   * @param x [..., width]
   * @param epsilon added to the variance
   * @return the same shape
   */
  public static Value layerNorm(Value x, double epsilon) {
    float[] ones = new float[Math.toIntExact(x.dim(-1))];
    java.util.Arrays.fill(ones, 1);
    return x.graph()
        .node("LayerNormalization")
        .in(x, x.graph().constant(ones, ones.length))
        .with("axis", -1)
        .with("epsilon", (float) epsilon)
        .out(x.type(), x.shape());
  }

  /**
   * Group normalization of a feature map (Wu and He 2018, arXiv 1803.08494).
   *
   * @param module has {@code weight} and {@code bias}
   * @param x [batch, channels, ...]
   * @param groups divides the channels
   * @param epsilon added to the variance
   * @return the same shape
   */
  public static Value groupNorm(Scope module, Value x, int groups, double epsilon) {
    Graph graph = x.graph();
    long channels = x.dim(1);
    if (channels % groups != 0) {
      throw new io.github.diffusion4j.ModelFormatException(
          "%s: %d channels cannot be normalized in %d groups"
              .formatted(module.path(), channels, groups));
    }
    float[] ones = new float[groups];
    java.util.Arrays.fill(ones, 1);
    Value normal =
        graph
            .node("InstanceNormalization")
            .in(x.reshape(0, groups, -1))
            .in(graph.constant(ones, groups), graph.constant(new float[groups], groups))
            .with("epsilon", (float) epsilon)
            .out(x.type(), x.dim(0), groups, Value.FREE);
    long[] stored = {channels};
    long[] seen = new long[x.rank() - 1];
    java.util.Arrays.fill(seen, 1);
    seen[0] = channels;
    return normal
        .reshapeAs(x)
        .times(module.weight("weight", stored, seen))
        .plus(module.weight("bias", stored, seen));
  }

  /**
   * Division by the root of the mean square over the last axis, with a learned scale (Zhang and
   * Sennrich 2019, arXiv 1910.07467).
   *
   * @param module has {@code weight}
   * @param x [..., width]
   * @param epsilon added to the mean square
   * @return the same shape
   */
  public static Value rmsNorm(Scope module, Value x, double epsilon) {
    Value wide = x.cast(io.github.diffusion4j.onnx.ElementType.FLOAT32);
    long[] shape = x.shape();
    shape[shape.length - 1] = 1;
    Value mean =
        x.graph()
            .node("ReduceMean")
            .in(wide.times(wide))
            .with("axes", new long[] {-1})
            .with("keepdims", 1)
            .out(wide.type(), shape);
    Value root = mean.plus(epsilon).map("Sqrt");
    return wide.over(root).cast(x.type()).times(module.weight("weight", x.dim(-1)));
  }
}
