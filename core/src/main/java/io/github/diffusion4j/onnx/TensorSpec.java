package io.github.diffusion4j.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a network says of one input or output.
 *
 * @param name its name
 * @param type element type
 * @param shape dimensions; -1 where free
 * @param dimensionNames names of the free dimensions, "" where there is none
 */
public record TensorSpec(
    String name, ElementType type, List<Long> shape, List<String> dimensionNames) {

  /** Copies the lists. */
  public TensorSpec {
    shape = List.copyOf(shape);
    dimensionNames = List.copyOf(dimensionNames);
  }

  /**
   * Number of dimensions.
   *
   * @return 0 for a scalar
   */
  public int rank() {
    return shape.size();
  }

  /**
   * One dimension.
   *
   * @param axis 0 to rank - 1, or negative, from the end
   * @return its size, -1 where free
   */
  public long dim(int axis) {
    return shape.get(axis < 0 ? rank() + axis : axis);
  }

  /**
   * Whether a tensor of this shape can be given here.
   *
   * @param actual dimensions
   * @return true if the rank agrees and each fixed dimension is met
   */
  public boolean accepts(long... actual) {
    return actual.length == rank()
        && IntStream.range(0, rank()).allMatch(i -> shape.get(i) < 0 || shape.get(i) == actual[i]);
  }

  @Override
  public String toString() {
    return name + " " + describe();
  }

  /**
   * Type and shape for messages.
   *
   * @return such as {@code float32[batch, 4, height, width]}
   */
  public String describe() {
    return type.name().toLowerCase(java.util.Locale.ROOT)
        + IntStream.range(0, rank())
            .mapToObj(
                i ->
                    shape.get(i) >= 0
                        ? shape.get(i).toString()
                        : dimensionNames.get(i).isEmpty() ? "?" : dimensionNames.get(i))
            .collect(Collectors.joining(", ", "[", "]"));
  }

  static String describe(long... shape) {
    return Arrays.toString(shape);
  }
}
