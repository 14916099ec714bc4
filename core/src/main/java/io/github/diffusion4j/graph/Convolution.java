package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.ArrayList;
import java.util.List;

/** Convolutions and resizing of feature maps [batch, channels, height, width]. */
public final class Convolution {

  private Convolution() {}

  /**
   * A convolution of stride 1 that keeps the size: odd kernels, padded by half of them.
   *
   * @param module has {@code weight} [channels, in, kernel, kernel] and perhaps {@code bias}
   * @param x the map
   * @param channels of the result
   * @param kernel height and width of the kernel, odd
   * @return [batch, channels, height, width]
   */
  public static Value conv2d(Scope module, Value x, long channels, int kernel) {
    int half = kernel / 2;
    return conv2d(module, x, channels, new Window(kernel, 1, half, half));
  }

  /**
   * Kernel, stride and padding of a convolution, the same in both directions.
   *
   * @param kernel height and width of the kernel
   * @param stride step between its places
   * @param before zeros before the first row and column
   * @param after zeros after the last row and column
   */
  public record Window(int kernel, int stride, int before, int after) {
    /** Checks the ranges. */
    public Window {
      if (kernel < 1 || stride < 1 || before < 0 || after < 0) {
        throw new IllegalArgumentException(
            "kernel and stride must be at least 1, padding at least 0, got %d, %d, %d and %d"
                .formatted(kernel, stride, before, after));
      }
    }

    private long out(long size) {
      return size == Value.FREE ? size : (size + before + after - kernel) / stride + 1;
    }
  }

  /**
   * A convolution.
   *
   * @param module has {@code weight} [channels, in, kernel, kernel] and perhaps {@code bias}
   * @param x the map
   * @param channels of the result
   * @param window kernel, stride and padding
   * @return [batch, channels, height, width]
   */
  public static Value conv2d(Scope module, Value x, long channels, Window window) {
    int kernel = window.kernel();
    Node node = node(x, module.weight("weight", channels, x.dim(1), kernel, kernel), window);
    if (module.has("bias")) {
      node.in(module.weight("bias", channels));
    }
    Value result =
        node.out(x.type(), x.dim(0), channels, window.out(x.dim(2)), window.out(x.dim(3)));
    return LowRankPath.ofConvolution(module, x, result, window);
  }

  /** A convolution without bias, to be completed. */
  static Node node(Value x, Value weight, Window window) {
    int kernel = window.kernel();
    long padBefore = window.before();
    long padAfter = window.after();
    return x.graph()
        .node("Conv")
        .in(x, weight)
        .with("kernel_shape", new long[] {kernel, kernel})
        .with("strides", new long[] {window.stride(), window.stride()})
        .with("pads", new long[] {padBefore, padBefore, padAfter, padAfter});
  }

  /**
   * Twice the size, each value repeated.
   *
   * @param x the map
   * @return [batch, channels, 2·height, 2·width]
   */
  public static Value upsampleNearest(Value x) {
    Graph graph = x.graph();
    return graph
        .node("Resize")
        .in(x)
        .without()
        .in(graph.floats(1, 1, 2, 2))
        .with("mode", "nearest")
        .with("coordinate_transformation_mode", "asymmetric")
        .with("nearest_mode", "floor")
        .out(x.type(), x.dim(0), x.dim(1), twice(x.dim(2)), twice(x.dim(3)));
  }

  /**
   * Twice the size, each value repeated, and then a convolution with a kernel of 3. Where the graph
   * folds the two, the kernel's rows and columns that meet the same value are summed, which leaves
   * a kernel of 2 for each of its four copies: 16 products in place of 36, and the large map is
   * never made. The sums change results by float32's rounding.
   *
   * @param module has {@code weight} [channels, in, 3, 3] and perhaps {@code bias}
   * @param x the map
   * @param channels of the result
   * @return [batch, channels, 2·height, 2·width]
   */
  public static Value upsampledConv2d(Scope module, Value x, long channels) {
    Graph graph = x.graph();
    if (!graph.options().foldedUpsampling() || x.type() != ElementType.FLOAT32) {
      return conv2d(module, upsampleNearest(x), channels, 3);
    }
    Value weight = module.weight("weight", channels, x.dim(1), 3, 3);
    List<Value> copies = new ArrayList<>();
    for (long down = 0; down < 2; down++) {
      Value rows = summed(weight, 2, down);
      for (long right = 0; right < 2; right++) {
        Node node =
            graph
                .node("Conv")
                .in(x, summed(rows, 3, right))
                .with("kernel_shape", new long[] {2, 2})
                .with("strides", new long[] {1, 1})
                .with("pads", new long[] {1 - down, 1 - right, down, right});
        if (module.has("bias")) {
          node.in(module.weight("bias", channels));
        }
        copies.add(node.out(x.type(), x.dim(0), channels, x.dim(2), x.dim(3)));
      }
    }
    return graph
        .node("DepthToSpace")
        .in(Value.concat(1, copies.toArray(Value[]::new)))
        .with("blocksize", 2)
        .with("mode", "DCR")
        .out(x.type(), x.dim(0), channels, twice(x.dim(2)), twice(x.dim(3)));
  }

  /** The kernel's three entries along an axis as two: of the first or of the second copy. */
  private static Value summed(Value weight, int axis, long copy) {
    Value middle = weight.slice(axis, 1, 2);
    Value first = weight.slice(axis, 0, 1);
    Value last = weight.slice(axis, 2, 3);
    return copy == 0
        ? Value.concat(axis, first, middle.plus(last))
        : Value.concat(axis, first.plus(middle), last);
  }

  private static long twice(long size) {
    return size == Value.FREE ? size : 2 * size;
  }

  /**
   * The size of another map, each value repeated: twice the own, or one more or less where halving
   * left a remainder.
   *
   * @param x the map
   * @param like a map of the wanted height and width
   * @return [batch, channels, height of the other, width of the other]
   */
  public static Value upsampleNearest(Value x, Value like) {
    return x.graph()
        .node("Resize")
        .in(x)
        .without()
        .without()
        .in(Value.concat(0, x.size(0), x.size(1), like.size(2), like.size(3)))
        .with("mode", "nearest")
        .with("coordinate_transformation_mode", "asymmetric")
        .with("nearest_mode", "floor")
        .out(x.type(), x.dim(0), x.dim(1), like.dim(2), like.dim(3));
  }
}
