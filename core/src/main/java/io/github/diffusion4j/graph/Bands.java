package io.github.diffusion4j.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * A feature map in parts of equally many rows, from the first to the last; or a whole one. Layers
 * take a large map part by part, so that what they make in between is small: it stays in the
 * processor's caches, and the map itself is the most that is in memory. Immutable.
 *
 * @param parts each [batch, channels, rows, width]
 */
record Bands(List<Value> parts) {

  private static final int ROWS = 2;

  Bands {
    parts = List.copyOf(parts);
  }

  /** A map in one part. */
  static Bands whole(Value map) {
    return new Bands(List.of(map));
  }

  /** The parts together. */
  Value joined() {
    return parts.size() == 1 ? parts.get(0) : Value.concat(ROWS, parts.toArray(Value[]::new));
  }

  /** Width in channels. */
  long channels() {
    return first().dim(1);
  }

  /** What an operator of single cells makes of each part. */
  Bands map(UnaryOperator<Value> operator) {
    return new Bands(parts.stream().map(operator).toList());
  }

  /** What an operator of single cells makes of each part and its like. */
  Bands with(Bands other, BinaryOperator<Value> operator) {
    List<Value> results = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      results.add(operator.apply(parts.get(i), other.parts.get(i)));
    }
    return new Bands(results);
  }

  /**
   * Each part cut into two.
   *
   * @param rows of half a part, int64 vector of one element
   * @return twice as many parts
   */
  Bands halved(Value rows) {
    Graph graph = rows.graph();
    List<Value> halves = new ArrayList<>();
    for (Value part : parts) {
      halves.add(slice(part, graph.constant(0), rows));
      halves.add(slice(part, rows, graph.constant(Long.MAX_VALUE)));
    }
    return new Bands(halves);
  }

  private static Value slice(Value part, Value from, Value to) {
    return part.graph()
        .node("Slice")
        .in(part, from, to, part.graph().constant(ROWS))
        .out(part.type(), part.dim(0), part.dim(1), Value.FREE, part.dim(3));
  }

  /** {@link Normalization#groupNorm} of the map. */
  Bands groupNorm(Scope module, int groups, double epsilon) {
    if (parts.size() == 1) {
      return map(part -> Normalization.groupNorm(module, part, groups, epsilon));
    }
    Normalization.ScaleShift change = Normalization.groupScaleShift(module, parts, groups, epsilon);
    return map(part -> part.times(change.scale()).plus(change.shift()));
  }

  /** A convolution with a kernel of 1. */
  Bands pointwise(Scope module, long channels) {
    return map(part -> Convolution.conv2d(module, part, channels, 1));
  }

  /** {@link Convolution#conv3x3} of the map. */
  Bands conv3x3(Scope module, long channels, int side) {
    return parts.size() == 1
        ? map(part -> Convolution.conv3x3(module, part, channels, side))
        : convolved(Convolution.kernel3x3(module, first(), channels, side));
  }

  /** {@link Convolution#upsampledConv2d} of the map; of parts the folded one. */
  Bands upsampledConv2d(Scope module, long channels) {
    return parts.size() == 1
        ? map(part -> Convolution.upsampledConv2d(module, part, channels))
        : convolved(Convolution.upsamplingKernel(module, first(), channels));
  }

  private Bands convolved(Kernel kernel) {
    List<Value> results = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      Optional<Value> above =
          i == 0 ? Optional.empty() : Optional.of(parts.get(i - 1).slice(ROWS, -1, Long.MAX_VALUE));
      Optional<Value> below =
          i == parts.size() - 1
              ? Optional.empty()
              : Optional.of(parts.get(i + 1).slice(ROWS, 0, 1));
      results.add(kernel.apply(above, parts.get(i), below));
    }
    return new Bands(results);
  }

  private Value first() {
    return parts.get(0);
  }

  /** A convolution of some rows that reads one row more above and below. */
  interface Kernel {
    /**
     * Convolves.
     *
     * @param above the row above; empty for zeros
     * @param part the rows
     * @param below the row below; empty for zeros
     * @return the result's rows
     */
    Value apply(Optional<Value> above, Value part, Optional<Value> below);
  }

  /** Rows below each other. */
  static Value stacked(Optional<Value> above, Value part, Optional<Value> below) {
    List<Value> rows = new ArrayList<>();
    above.ifPresent(rows::add);
    rows.add(part);
    below.ifPresent(rows::add);
    return new Bands(rows).joined();
  }
}
