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
    if (!x.graph().options().fewerProducts()
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
   * @param kernels [products, channels, in], transformed
   * @param above the row above; empty for zeros
   * @param part [batch, in, height, width], any height and width
   * @param below the row below; empty for zeros
   * @return [batch, channels, height, width]
   */
  Value conv2d(Value kernels, Optional<Value> above, Value part, Optional<Value> below) {
    int top = above.isPresent() ? 0 : 1;
    Value tiles = tiles(Bands.stacked(above, part, below), top, below.isPresent() ? 0 : 1);
    Value places = plane(tiles);
    long in = part.dim(1);
    Value factors =
        tiles
            .reshapeTo(
                Value.concat(0, part.graph().constant(-1, in, products()), places),
                Value.FREE,
                in,
                products(),
                Value.FREE,
                Value.FREE)
            .transpose(2, 1, 0, 3, 4)
            .reshape(products(), in, -1);
    return joined(results(kernels.matmul(factors), places), places, part);
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
   * Transforms kernels.
   *
   * @param weight [channels, in, 3, 3]
   * @return [products, channels, in]
   */
  Value kernels(Value weight) {
    long channels = weight.dim(0);
    long in = weight.dim(1);
    long taps = (long) CookToom.TAPS * CookToom.TAPS;
    return weight
        .graph()
        .constant(CookToom.plane(down.taps(), right.taps()), products(), taps)
        .matmul(weight.reshape(channels * in, taps).transpose(1, 0))
        .reshape(products(), channels, in);
  }

  /** What the products sum to [rows of a tile, channels, batch, tiles down, width]. */
  private Value results(Value products, Value places) {
    Graph graph = products.graph();
    long rows = down.outputs();
    long columns = right.outputs();
    float[] transform = CookToom.plane(down.results(), right.results());
    Value width = places.times(graph.constant(1, columns));
    return graph
        .constant(transform, rows * columns, products())
        .matmul(products.reshape(products(), -1))
        .reshape(rows, columns, -1)
        .transpose(0, 2, 1)
        .reshapeTo(
            Value.concat(0, graph.constant(rows, products.dim(1), -1), width),
            rows,
            products.dim(1),
            Value.FREE,
            Value.FREE,
            Value.FREE);
  }

  /** The tiles' rows below each other, without what is beyond the map. */
  private Value joined(Value results, Value places, Value x) {
    Graph graph = x.graph();
    long channels = results.dim(1);
    Value whole = places.times(graph.constant(down.outputs(), right.outputs()));
    Value joined =
        results
            .transpose(2, 1, 3, 0, 4)
            .reshapeTo(
                Value.concat(0, graph.constant(-1, channels), whole),
                x.dim(0),
                channels,
                Value.FREE,
                Value.FREE);
    return graph
        .node("Slice")
        .in(joined, graph.constant(0, 0), plane(x), graph.constant(2, 3))
        .out(x.type(), x.dim(0), channels, x.dim(2), x.dim(3));
  }

  /** Height and width of a map in a run. */
  private static Value plane(Value map) {
    Node node = map.graph().node("Shape").in(map).with("start", 2).with("end", 4);
    return node.out(ElementType.INT64, 2);
  }
}
