package io.github.diffusion4j.checkpoint;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorStore;
import io.github.diffusion4j.tensor.TensorType;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor of a file as a network wants it: some rows of the stored one, perhaps of another shape
 * or transposed. Nothing is copied until it is read. Immutable.
 *
 * @param stored the tensor in the file
 * @param shape dimensions as the network sees them, outermost first
 * @param firstRow first row (entry of the outermost dimension) of the stored tensor
 * @param transposed whether the stored rows are the columns: two dimensions only
 */
public record MappedTensor(TensorInfo stored, List<Long> shape, long firstRow, boolean transposed) {

  /** Checks that the rows are there. */
  public MappedTensor {
    requireNonNull(stored, "stored");
    shape = List.copyOf(shape);
    long elements = shape.stream().reduce(1L, Math::multiplyExact);
    long row = stored.shape().isEmpty() || elements == 0 ? 1 : rowElements(stored);
    if (firstRow < 0
        || Math.addExact(Math.multiplyExact(firstRow, row), elements) > stored.elements()) {
      throw new IllegalArgumentException(
          "shape must lie in %s from row %d on, got %s".formatted(stored, firstRow, shape));
    }
    if (transposed && (shape.size() != 2 || firstRow != 0 || elements != stored.elements())) {
      throw new IllegalArgumentException(
          "only whole matrices can be transposed, got %s of %s".formatted(shape, stored));
    }
  }

  private static long rowElements(TensorInfo stored) {
    return stored.elements() / Math.max(1, stored.shape().get(0));
  }

  /** The whole tensor as it is stored. */
  static MappedTensor whole(TensorInfo stored) {
    return new MappedTensor(stored, stored.shape(), 0, false);
  }

  /** The whole tensor in another shape of as many elements. */
  static MappedTensor shaped(TensorInfo stored, Long... shape) {
    return new MappedTensor(stored, List.of(shape), 0, false);
  }

  /** Some rows. */
  static MappedTensor rows(TensorInfo stored, long first, long count) {
    Long[] shape = stored.shape().toArray(Long[]::new);
    shape[0] = count;
    return new MappedTensor(stored, Arrays.asList(shape), first, false);
  }

  /** A matrix whose rows are the stored one's columns. */
  static MappedTensor transposed(TensorInfo stored) {
    return new MappedTensor(stored, List.of(stored.shape().get(1), stored.shape().get(0)), 0, true);
  }

  /**
   * The element type, which is the stored one's.
   *
   * @return such as F16
   */
  public TensorType type() {
    return stored.type();
  }

  /**
   * Number of elements.
   *
   * @return product of the shape
   */
  public long elements() {
    return shape.stream().reduce(1L, (a, b) -> a * b);
  }

  /**
   * Where the rows begin.
   *
   * @return position of their first byte from the start of the stored tensor's file
   */
  public long offset() {
    return firstRow == 0
        ? stored.offset()
        : stored.offset() + firstRow * rowElements(stored) * type().bits() / 8;
  }

  /**
   * How long the rows are.
   *
   * @return bytes
   */
  public long length() {
    return elements() * type().bits() / 8;
  }

  /**
   * Reads the elements as float32.
   *
   * @param store holds the stored tensor
   * @return the elements, row-major in {@link #shape}; the caller's own
   */
  public float[] floats(TensorStore store) {
    float[] values = store.floats(stored.name());
    if (transposed) {
      int rows = Math.toIntExact(shape.get(0));
      int columns = Math.toIntExact(shape.get(1));
      float[] turned = new float[values.length];
      for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
          turned[row * columns + column] = values[column * rows + row];
        }
      }
      return turned;
    }
    int from = firstRow == 0 ? 0 : Math.toIntExact(firstRow * rowElements(stored));
    int count = Math.toIntExact(elements());
    return count == values.length ? values : Arrays.copyOfRange(values, from, from + count);
  }
}
