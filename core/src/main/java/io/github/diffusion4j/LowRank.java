package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * A change of low rank of one layer's weight: {@code W + up · down} (Hu et al. 2021, arXiv
 * 2106.09685). Immutable.
 */
public final class LowRank {

  /**
   * The layer's weight.
   *
   * @param out rows, or channels of a convolution's result
   * @param in columns, or channels of its input
   * @param height of the kernel, 1 of a matrix
   * @param width of the kernel, 1 of a matrix
   */
  public record Shape(int out, int in, int height, int width) {
    /** Checks the ranges. */
    public Shape {
      if (out < 1 || in < 1 || height < 1 || width < 1) {
        throw new IllegalArgumentException(
            "dimensions must be at least 1, got %d, %d, %d, %d".formatted(out, in, height, width));
      }
      Math.multiplyExact(out, Math.multiplyExact(in, Math.multiplyExact(height, width)));
    }

    /**
     * A matrix.
     *
     * @param out rows
     * @param in columns
     * @return its shape
     */
    public static Shape matrix(int out, int in) {
      return new Shape(out, in, 1, 1);
    }

    /**
     * Values that make one of the results.
     *
     * @return in times height times width
     */
    public int columns() {
      return in * height * width;
    }

    /**
     * Whether the kernel is one point, so that a matrix does the same.
     *
     * @return true for a matrix, too
     */
    public boolean isPoint() {
      return height == 1 && width == 1;
    }

    @Override
    public String toString() {
      return isPoint() ? "[" + out + ", " + in + "]" : List.of(out, in, height, width).toString();
    }
  }

  private final Shape shape;
  private final int rank;
  private final float[] down;
  private final float[] up;

  private LowRank(Shape shape, int rank, float[] down, float[] up) {
    this.shape = shape;
    this.rank = rank;
    this.down = down;
    this.up = up;
  }

  /**
   * A change.
   *
   * @param shape the layer's weight
   * @param down [rank, columns] row-major; kept, must not change
   * @param up [out, rank] row-major; kept, must not change
   * @return the change
   * @throws IllegalArgumentException if the lengths do not fit
   */
  public static LowRank of(Shape shape, float[] down, float[] up) {
    int rank = down.length / requireNonNull(shape, "shape").columns();
    boolean whole = rank > 0 && rank * shape.columns() == down.length;
    if (!whole || (long) rank * shape.out() != up.length) {
      throw new IllegalArgumentException(
          "down and up must be [rank, %d] and [%d, rank], got %d and %d values"
              .formatted(shape.columns(), shape.out(), down.length, up.length));
    }
    return new LowRank(shape, rank, down, up);
  }

  /**
   * The sum of changes of one layer.
   *
   * @param parts one or more, of one shape
   * @param scales a factor for each
   * @return of the sum of their ranks
   */
  public static LowRank sum(List<LowRank> parts, List<Double> scales) {
    Shape shape = parts.get(0).shape;
    int rank = parts.stream().mapToInt(part -> part.rank).reduce(0, Math::addExact);
    float[] down = new float[Math.multiplyExact(rank, shape.columns())];
    float[] up = new float[Math.multiplyExact(rank, shape.out)];
    int first = 0;
    for (int i = 0; i < parts.size(); i++) {
      LowRank part = parts.get(i);
      if (!part.shape.equals(shape)) {
        throw new IllegalArgumentException("parts must be of one shape, got " + parts);
      }
      float scale = scales.get(i).floatValue();
      System.arraycopy(part.down, 0, down, first * shape.columns(), part.down.length);
      for (int row = 0; row < shape.out; row++) {
        for (int k = 0; k < part.rank; k++) {
          up[row * rank + first + k] = scale * part.up[row * part.rank + k];
        }
      }
      first += part.rank;
    }
    return new LowRank(shape, rank, down, up);
  }

  /**
   * The layer's weight.
   *
   * @return its shape
   */
  public Shape shape() {
    return shape;
  }

  /**
   * The rank.
   *
   * @return at least 1
   */
  public int rank() {
    return rank;
  }

  /**
   * What the input is multiplied with first.
   *
   * @return [rank, columns] row-major, read-only
   */
  public FloatBuffer down() {
    return FloatBuffer.wrap(down).asReadOnlyBuffer();
  }

  /**
   * What gives the result.
   *
   * @return [out, rank] row-major, read-only
   */
  public FloatBuffer up() {
    return FloatBuffer.wrap(up).asReadOnlyBuffer();
  }

  /**
   * This change and another one of the same layer.
   *
   * @param other of the same shape
   * @return their sum, of the sum of their ranks
   */
  public LowRank plus(LowRank other) {
    return sum(List.of(this, other), List.of(1.0, 1.0));
  }

  /**
   * The change of some of the weight's rows.
   *
   * @param from the first
   * @param to the one after the last
   * @return of the shape of these rows
   * @throws IllegalArgumentException if there are no such rows
   */
  public LowRank rows(int from, int to) {
    if (from < 0 || to <= from || to > shape.out) {
      throw new IllegalArgumentException(
          "rows must be some of 0 to %d, got %d to %d".formatted(shape.out, from, to));
    }
    return new LowRank(
        new Shape(to - from, shape.in, shape.height, shape.width),
        rank,
        down,
        Arrays.copyOfRange(up, from * rank, to * rank));
  }

  /**
   * The change of the weight whose upper and lower half are exchanged.
   *
   * @return of the same shape
   * @throws IllegalArgumentException if there is an odd number of rows
   */
  public LowRank exchanged() {
    if (shape.out % 2 != 0) {
      throw new IllegalArgumentException("rows must be an even number, got " + shape.out);
    }
    float[] exchanged = new float[up.length];
    int half = up.length / 2;
    System.arraycopy(up, half, exchanged, 0, half);
    System.arraycopy(up, 0, exchanged, half, half);
    return new LowRank(shape, rank, down, exchanged);
  }

  /**
   * The change of the transposed weight.
   *
   * @return of a matrix [columns, out]; new arrays
   */
  public LowRank transposed() {
    return new LowRank(
        Shape.matrix(shape.columns(), shape.out),
        rank,
        turned(up, shape.out, rank),
        turned(down, rank, shape.columns()));
  }

  private static float[] turned(float[] matrix, int rows, int columns) {
    float[] turned = new float[matrix.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        turned[column * rows + row] = matrix[row * columns + column];
      }
    }
    return turned;
  }

  /**
   * Adds the change to a weight.
   *
   * @param weight [out, columns] row-major; changed
   * @throws IllegalArgumentException if it has another length
   */
  public void addTo(float[] weight) {
    int columns = shape.columns();
    if (weight.length != shape.out * columns) {
      throw new IllegalArgumentException(
          "weight must have %d values of %s, got %d"
              .formatted(shape.out * columns, shape, weight.length));
    }
    double[] sums = new double[columns];
    for (int row = 0; row < shape.out; row++) {
      Arrays.fill(sums, 0);
      for (int k = 0; k < rank; k++) {
        float factor = up[row * rank + k];
        int from = k * columns;
        for (int column = 0; column < columns; column++) {
          sums[column] += factor * down[from + column];
        }
      }
      int to = row * columns;
      for (int column = 0; column < columns; column++) {
        weight[to + column] += (float) sums[column];
      }
    }
  }

  @Override
  public String toString() {
    return "rank " + rank + " of " + shape;
  }
}
