package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;

/**
 * Where a tensor lies and what it is.
 *
 * @param name its name in the file
 * @param file the file that holds it
 * @param type element type
 * @param shape dimensions, outermost first; empty for a scalar
 * @param offset position of its first byte from the start of the file
 * @param length its bytes: elements times element size
 */
public record TensorInfo(
    String name, Path file, TensorType type, List<Long> shape, long offset, long length) {

  /** Checks that the parts agree. */
  public TensorInfo {
    requireNonNull(name, "name");
    requireNonNull(file, "file");
    requireNonNull(type, "type");
    shape = List.copyOf(shape);
    if (offset < 0) {
      throw new IllegalArgumentException("offset must not be negative, got " + offset);
    }
    long expected = type.bytes(elements(shape));
    if (length != expected) {
      throw new IllegalArgumentException(
          "length must be " + expected + " for " + type + shape + ", got " + length);
    }
  }

  /**
   * Number of elements: the product of the shape, 1 for a scalar.
   *
   * @return the number
   */
  public long elements() {
    return elements(shape);
  }

  /**
   * Product of dimensions.
   *
   * @param shape dimensions
   * @return the product, 1 for none
   * @throws ArithmeticException if it exceeds a long or a dimension is negative
   */
  static long elements(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new ArithmeticException("dimension " + dimension);
      }
      product = Math.multiplyExact(product, dimension);
    }
    return product;
  }
}
