package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Convolutions and resizing of feature maps [batch, channels, height, width]. */
public final class Convolution {

  private static final int TAPS = 3 * 3;

  /** Of four kernels of 2 × 2. */
  private static final int FOLDED_TAPS = 4 * 2 * 2;

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
   * A convolution of stride 1 with a kernel of 3 that keeps the size, by the way that takes the
   * least time.
   *
   * @param module has {@code weight} [channels, in, 3, 3] and perhaps {@code bias}
   * @param x the map
   * @param channels of the result
   * @param side height and width, in cells, that such maps mostly have
   * @return [batch, channels, height, width]
   */
  static Value conv3x3(Scope module, Value x, long channels, int side) {
    Value result =
        kernel3x3(module, x, channels, side).apply(Optional.empty(), x, Optional.empty());
    return LowRankPath.ofConvolution(module, x, result, new Window(3, 1, 1, 1));
  }

  /** {@link #conv3x3} of maps like {@code x}, or of parts of them. */
  static Bands.Kernel kernel3x3(Scope module, Value x, long channels, int side) {
    Optional<Winograd> way = Winograd.of(x, channels, side);
    if (way.isEmpty()) {
      Value weight = module.weight("weight", channels, x.dim(1), 3, 3);
      return (above, part, below) -> {
        Value rows = Bands.stacked(above, part, below);
        long[] pads = {above.isPresent() ? 0 : 1, 1, below.isPresent() ? 0 : 1, 1};
        return biased(module, node(rows, weight, 1, pads), channels)
            .out(x.type(), x.dim(0), channels, part.dim(2), x.dim(3));
      };
    }
    Value kernels = way.get().kernels(module, x.dim(1), channels);
    return (above, part, below) -> {
      Value result = way.get().conv2d(kernels, above, part, below);
      return module.has("bias")
          ? result.plus(module.weight("bias", new long[] {channels}, new long[] {channels, 1, 1}))
          : result;
    };
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
    Node node =
        biased(
            module,
            node(x, module.weight("weight", channels, x.dim(1), kernel, kernel), window),
            channels);
    Value result =
        node.out(x.type(), x.dim(0), channels, window.out(x.dim(2)), window.out(x.dim(3)));
    return LowRankPath.ofConvolution(module, x, result, window);
  }

  /** A convolution without bias, to be completed. */
  static Node node(Value x, Value weight, Window window) {
    int before = window.before();
    int after = window.after();
    return node(x, weight, window.stride(), before, before, after, after);
  }

  private static Node node(Value x, Value weight, long stride, long... pads) {
    return x.graph()
        .node("Conv")
        .in(x, weight)
        .with("kernel_shape", new long[] {weight.dim(2), weight.dim(3)})
        .with("strides", new long[] {stride, stride})
        .with("pads", pads);
  }

  /** Adds the module's bias to a convolution's inputs, if it has one. */
  private static Node biased(Scope module, Node node, long channels) {
    return module.has("bias") ? node.in(module.weight("bias", channels)) : node;
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
    if (!graph.options().forCpu() || x.type() != ElementType.FLOAT32) {
      return conv2d(module, upsampleNearest(x), channels, 3);
    }
    return upsamplingKernel(module, x, channels).apply(Optional.empty(), x, Optional.empty());
  }

  /** {@link #upsampledConv2d}, folded, of maps like {@code x}, or of parts of them. */
  static Bands.Kernel upsamplingKernel(Scope module, Value x, long channels) {
    Value weight = module.weight("weight", channels, x.dim(1), 3, 3);
    x.graph().computes(channels * x.dim(1) * (FOLDED_TAPS - TAPS));
    List<Value> kernels = new ArrayList<>();
    for (long down = 0; down < 2; down++) {
      Value rows = summed(weight, 2, down);
      for (long right = 0; right < 2; right++) {
        kernels.add(summed(rows, 3, right));
      }
    }
    return (above, part, below) -> {
      Value upper = Bands.stacked(above, part, Optional.empty());
      Value lower = Bands.stacked(Optional.empty(), part, below);
      long top = above.isPresent() ? 0 : 1;
      long bottom = below.isPresent() ? 0 : 1;
      long[] shape = {x.dim(0), channels, part.dim(2), x.dim(3)};
      Value[] rows = new Value[2];
      for (int down = 0; down < 2; down++) {
        Value[] columns = new Value[2];
        for (int right = 0; right < 2; right++) {
          long[] pads = {(1 - down) * top, 1 - right, down * bottom, right};
          columns[right] =
              biased(
                      module,
                      node(down == 0 ? upper : lower, kernels.get(2 * down + right), 1, pads),
                      channels)
                  .out(x.type(), shape)
                  .unsqueeze(4);
        }
        rows[down] = Value.concat(4, columns).unsqueeze(3);
      }
      Graph graph = x.graph();
      Value width = part.size(3).times(graph.constant(2));
      return Value.concat(3, rows)
          .reshapeTo(
              Value.concat(0, graph.constant(0, 0, -1), width),
              x.dim(0),
              channels,
              twice(part.dim(2)),
              twice(x.dim(3)));
    };
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
