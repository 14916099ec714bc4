package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.ArrayList;
import java.util.List;

/** Normalization layers with a learned scale and shift. */
public final class Normalization {

  private static final double EPSILON = 1e-5;

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
    if (x.type() == ElementType.FLOAT32 && x.graph().options().fusedAttention()) {
      // The CPU provider normalizes sums several times as fast as single values. The sum of x and x
      // is exact, its variance four times as large.
      return sumNorm(module, x, x, 4 * epsilon).get(0);
    }
    return x.graph()
        .node("LayerNormalization")
        .in(x, module.weight("weight", width), module.weight("bias", width))
        .with("axis", -1)
        .with("epsilon", (float) epsilon)
        .out(x.type(), x.shape());
  }

  /**
   * A sum and its normalization.
   *
   * @param normal the normalized sum
   * @param sum the sum
   */
  record NormalizedSum(Value normal, Value sum) {}

  /**
   * Layer normalization of what was there, what a layer gave and the layer's bias.
   *
   * @param module has {@code weight} and {@code bias}
   * @param x [..., width]
   * @param layer the same shape
   * @param bias [width]
   * @return sum and normalization, with 1e-5 added to the variance
   */
  static NormalizedSum layerNormOfSum(Scope module, Value x, Value layer, Value bias) {
    if (x.graph().options().fusedAttention() && x.type() != ElementType.BFLOAT16) {
      List<Value> results = sumNorm(module, layer, x, EPSILON, bias);
      return new NormalizedSum(results.get(0), results.get(3));
    }
    Value sum = x.plus(layer.plus(bias));
    return new NormalizedSum(layerNorm(module, sum, EPSILON), sum);
  }

  private static List<Value> sumNorm(
      Scope module, Value a, Value b, double epsilon, Value... bias) {
    long width = a.dim(-1);
    return a.graph()
        .node("SkipLayerNormalization")
        .microsoft()
        .in(a, b, module.weight("weight", width), module.weight("bias", width))
        .in(bias)
        .with("epsilon", (float) epsilon)
        .out(bias.length == 0 ? 1 : 4, a.type(), a.shape());
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
   * What group normalization does to each channel.
   *
   * @param scale [batch, channels, 1, 1], to be multiplied with
   * @param shift the same shape, to be added then
   */
  record ScaleShift(Value scale, Value shift) {}

  /**
   * Group normalization of a feature map in parts: the mean of the parts' variances and the
   * variance of their means are the map's variance.
   *
   * @param module has {@code weight} and {@code bias}
   * @param parts each [batch, channels, ...], equally large
   * @param groups divides the channels
   * @param epsilon added to the variance
   * @return what is to be done to each part
   */
  static ScaleShift groupScaleShift(Scope module, List<Value> parts, int groups, double epsilon) {
    List<Value> means = new ArrayList<>();
    List<Value> variances = new ArrayList<>();
    for (Value part : parts) {
      Value grouped = part.reshape(0, groups, -1);
      Value mean = grouped.mean(-1);
      means.add(mean);
      variances.add(squared(grouped.minus(mean)).mean(-1));
    }
    Value all = Value.concat(2, means.toArray(Value[]::new));
    Value mean = all.mean(-1);
    Value variance =
        Value.concat(2, variances.toArray(Value[]::new))
            .mean(-1)
            .plus(squared(all.minus(mean)).mean(-1));
    long channels = parts.get(0).dim(1);
    long[] stored = {channels};
    long[] seen = {1, groups, channels / groups};
    Value scale = module.weight("weight", stored, seen).over(variance.plus(epsilon).map("Sqrt"));
    Value shift = module.weight("bias", stored, seen).minus(mean.times(scale));
    return new ScaleShift(scale.reshape(0, channels, 1, 1), shift.reshape(0, channels, 1, 1));
  }

  private static Value squared(Value x) {
    return x.times(x);
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
    Value wide = x.cast(ElementType.FLOAT32);
    Value root = wide.times(wide).mean(-1).plus(epsilon).map("Sqrt");
    return wide.over(root).cast(x.type()).times(module.weight("weight", x.dim(-1)));
  }
}
