package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.Optional;

/**
 * Convolutions with kernels of 3 × 3 by fewer products (Winograd 1980; Lavin and Gray 2016, arXiv
 * 1509.09308). Tiles of the map and the kernels are transformed, so that a product of each pair of
 * their numbers, summed over the channels, is left: 36 for 4 × 4 results, or 24 for 2 × 4, in place
 * of 144 and 72. Results differ from direct sums by a few times float32's rounding, about 2e-6 of
 * their spread.
 *
 * <p>ONNX Runtime transforms the kernels when a session opens, and holds them so: 4 times, or 2.7
 * times, as large.
 *
 * @param down of the rows
 * @param right of the columns
 */
record Winograd(CookToom down, CookToom right) {

  /** Of fewer channels the transforms of the map cost more than they save. */
  private static final int MIN_CHANNELS = 192;

  /** In smaller maps the larger kernels are read for too few results to be worth their memory. */
  private static final int MIN_SIDE = 32;

  /**
   * From here on maps are so large that kernels of four times the size are small beside the rest.
   */
  private static final int LARGE_SIDE = 64;

  /**
   * The way to compute a convolution.
   *
   * @param x the map
   * @param channels of the result
   * @param side height and width, in cells, that such maps mostly have
   * @return empty if the graph's options do not allow it, or it does not pay
   */
  static Optional<Winograd> of(Value x, long channels, int side) {
    if (!x.graph().options().winograd()
        || x.type() != ElementType.FLOAT32
        || Math.min(x.dim(1), channels) < MIN_CHANNELS
        || side < MIN_SIDE) {
      return Optional.empty();
    }
    CookToom down = side < LARGE_SIDE ? CookToom.TWO : CookToom.FOUR;
    return Optional.of(new Winograd(down, CookToom.FOUR));
  }

  /**
   * A convolution of stride 1 that keeps the size, of some rows of a map.
   *
   * @param kernels transformed
   * @param above the row above; empty for zeros
   * @param part [batch, in, height, width], any height and width
   * @param below the row below; empty for zeros
   * @return [batch, channels, height, width]
   */
  Value conv2d(Value kernels, Optional<Value> above, Value part, Optional<Value> below) {
    int top = above.isPresent() ? 0 : 1;
    Value tiles = tiles(Bands.stacked(above, part, below), top, below.isPresent() ? 0 : 1);
    Value products = kernels.matmul(factors(tiles, part));
    return joined(results(products), kernels.dim(2), part, tiles);
  }

  private long products() {
    return (long) down.products() * right.products();
  }

  /** The map's tiles, transformed [batch · in, products, tiles down, tiles right]. */
  private Value tiles(Value x, int top, int bottom) {
    Graph graph = x.graph();
    long height = down.products();
    long width = right.products();
    float[] transform = CookToom.plane(down.cells(), right.cells());
    return graph
        .node("Conv")
        .in(x.reshape(-1, 1, 0, 0), graph.constant(transform, products(), 1, height, width))
        .with("kernel_shape", new long[] {height, width})
        .with("strides", new long[] {down.outputs(), right.outputs()})
        .with("pads", new long[] {top, 1, bottom + down.outputs() - 1, right.outputs()})
        .out(x.type(), Value.FREE, products(), Value.FREE, Value.FREE);
  }

  /**
   * Transforms kernels, by as few operators as possible: ONNX Runtime keeps a copy of what each of
   * them gives until the session is open.
   *
   * @param module has {@code weight} [channels, in, 3, 3]
   * @param in channels of the map
   * @param channels of the result
   * @return [1, products, channels, in]
   */
  Value kernels(Scope module, long in, long channels) {
    long taps = (long) CookToom.TAPS * CookToom.TAPS;
    long[] stored = {channels, in, CookToom.TAPS, CookToom.TAPS};
    Value weight = module.weight("weight", stored, new long[] {1, channels, in, taps});
    Graph graph = module.graph();
    graph.computes(channels * in * (products() - taps));
    float[] transform = CookToom.plane(down.taps(), right.taps());
    return graph
        .node("Conv")
        .in(weight.transpose(0, 3, 1, 2), graph.constant(transform, products(), taps, 1, 1))
        .out(weight.type(), 1, products(), channels, in);
  }

  /**
   * The tiles in the order of the products [products, in, batch · tiles]. A gather of rows, as all
   * moves here: ONNX Runtime's Transpose runs on one thread.
   */
  private Value factors(Value tiles, Value x) {
    Graph graph = x.graph();
    long in = x.dim(1);
    Value rows =
        tiles.reshapeTo(
            Value.concat(0, graph.constant(-1), tiles.size(2), tiles.size(3)),
            Value.FREE,
            Value.FREE,
            Value.FREE);
    Value order =
        range(graph.constant(products()))
            .unsqueeze(1, 2)
            .plus(range(graph.constant(in)).times(graph.constant(products())).unsqueeze(1))
            .plus(range(x.size(0)).times(graph.constant(in * products())));
    return rows.gather(order).reshape(products(), in, -1);
  }

  /** What the products sum to [channels · batch · tiles · rows of a tile, columns of a tile]. */
  private Value results(Value products) {
    Graph graph = products.graph();
    long count = (long) down.outputs() * right.outputs();
    float[] transform = CookToom.plane(down.results(), right.results());
    return graph
        .node("FusedMatMul")
        .microsoft()
        .in(products.reshape(products(), -1), graph.constant(transform, products(), count))
        .with("transA", 1)
        .out(products.type(), Value.FREE, count)
        .reshape(-1, right.outputs());
  }

  /** The results as a map, without those beyond it. */
  private Value joined(Value results, long channels, Value x, Value tiles) {
    Graph graph = x.graph();
    Value high = graph.constant(down.outputs());
    Value row = range(x.size(2));
    Value above = row.elementwise("Div", high);
    Value width = tiles.size(3).times(high);
    Value inMap = above.times(width).plus(row.minus(above.times(high))).unsqueeze(1);
    Value order = inMap.plus(range(tiles.size(3)).times(high));
    Value maps =
        range(x.size(0))
            .unsqueeze(1)
            .plus(range(graph.constant(channels)).times(x.size(0)))
            .times(tiles.size(2).times(width));
    Value whole = results.gather(maps.unsqueeze(2, 3).plus(order)).reshape(0, channels, 0, -1);
    return graph
        .node("Slice")
        .in(whole, graph.constant(0), x.size(3), graph.constant(3))
        .out(x.type(), x.dim(0), channels, x.dim(2), x.dim(3));
  }

  /** 0, 1 and so on, as many as a vector of one element says. */
  private static Value range(Value count) {
    Graph graph = count.graph();
    return graph
        .node("Range")
        .in(scalar(graph.constant(0)), scalar(count), scalar(graph.constant(1)))
        .out(ElementType.INT64, Value.FREE);
  }

  private static Value scalar(Value one) {
    return one.graph().node("Squeeze").in(one).out(ElementType.INT64);
  }
}
