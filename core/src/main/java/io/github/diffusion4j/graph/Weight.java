package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.ChangedElements;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One weight: its type, the shape that a layer sees, and where its elements are.
 *
 * @param type element type as stored
 * @param shape dimensions of the stored elements, outermost first
 * @param values where the elements are, row-major
 * @param transposed whether layers see the two dimensions the other way round
 */
public record Weight(TensorType type, List<Long> shape, Values values, boolean transposed) {

  /** Where elements are. */
  public sealed interface Values {

    /** Bytes that the elements take. */
    long length();
  }

  /**
   * Elements in a file, to be read from there by the runtime.
   *
   * @param file the file
   * @param offset position of the first byte
   * @param length bytes
   */
  public record InFile(Path file, long offset, long length) implements Values {
    /** Checks the range. */
    public InFile {
      requireNonNull(file, "file");
      if (offset < 0 || length < 0) {
        throw new IllegalArgumentException(
            "offset and length must not be negative, got " + offset + " and " + length);
      }
    }
  }

  /**
   * Elements in memory.
   *
   * @param bytes little endian, from position to limit; not copied, must not change
   */
  public record InMemory(ByteBuffer bytes) implements Values {
    /** Takes a read-only view. */
    public InMemory {
      bytes = bytes.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public long length() {
      return bytes.remaining();
    }
  }

  /**
   * Elements of another weight with a change added to them, computed as float32 when they are read.
   *
   * @param weight not transposed
   * @param change of its shape
   */
  record Changed(Weight weight, LowRank change) implements Values {
    @Override
    public long length() {
      return Weight.elements(weight.shape) * Float.BYTES;
    }

    /** Computes the elements, some rows at a time. */
    ChangedElements elements() {
      return new ChangedElements(
          (from, to) -> weight.rows(from, to).floats(), change, ElementType.FLOAT32);
    }
  }

  /** Checks that shape and elements agree. */
  public Weight {
    requireNonNull(type, "type");
    shape = List.copyOf(shape);
    long expected = elements(shape) * type.bits() / 8;
    if (values.length() != expected) {
      throw new IllegalArgumentException(
          "values must have " + expected + " bytes for " + type + shape + ", got " + values);
    }
    if (transposed && shape.size() != 2) {
      throw new IllegalArgumentException("only matrices can be transposed, got " + shape);
    }
  }

  /**
   * A tensor of a file.
   *
   * @param info where it lies
   * @return all of it
   */
  public static Weight of(TensorInfo info) {
    return new Weight(
        info.type(), info.shape(), new InFile(info.file(), info.offset(), info.length()), false);
  }

  /**
   * Given numbers.
   *
   * @param values row-major
   * @param shape dimensions
   * @return float32 in memory
   */
  public static Weight of(float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new Weight(TensorType.F32, list(shape), new InMemory(bytes), false);
  }

  /**
   * The shape that a layer sees.
   *
   * @return dimensions, outermost first
   */
  public List<Long> seen() {
    return transposed ? List.of(shape.get(1), shape.get(0)) : shape;
  }

  /** This weight with a change added to it, which is of the shape that a layer sees. */
  Weight changed(LowRank change) {
    Weight stored = new Weight(type, shape, values, false);
    Changed sums = new Changed(stored, transposed ? change.transposed() : change);
    return new Weight(TensorType.F32, shape, sums, transposed);
  }

  /**
   * The same elements in another shape.
   *
   * @param dimensions as many elements as now
   * @return a view
   * @throws IllegalArgumentException if the elements are more or fewer, or this is transposed
   */
  public Weight reshaped(long... dimensions) {
    if (transposed || elements(list(dimensions)) != elements(shape)) {
      throw new IllegalArgumentException(
          "weight " + describe() + " cannot be seen as " + Arrays.toString(dimensions));
    }
    return new Weight(type, list(dimensions), values, false);
  }

  /**
   * A matrix with its dimensions exchanged.
   *
   * @return a view
   */
  public Weight transpose() {
    return new Weight(type, shape, values, !transposed);
  }

  /**
   * Some entries of the first stored dimension, which lie in one piece.
   *
   * @param from first entry
   * @param to entry after the last
   * @return a view
   * @throws IllegalArgumentException if there are no such entries, or this is transposed
   */
  public Weight rows(long from, long to) {
    if (transposed || shape.isEmpty() || from < 0 || to < from || to > shape.get(0)) {
      throw new IllegalArgumentException(
          "weight %s has no rows %d to %d".formatted(describe(), from, to));
    }
    List<Long> part = new ArrayList<>(shape);
    part.set(0, 1L);
    long row = elements(part) * type.bits() / 8;
    part.set(0, to - from);
    if (values instanceof Changed changed) {
      LowRank change = changed.change.rows(Math.toIntExact(from), Math.toIntExact(to));
      return new Weight(type, part, new Changed(changed.weight.rows(from, to), change), false);
    }
    return new Weight(type, part, part(row * from, row * (to - from)), false);
  }

  private Values part(long from, long length) {
    if (values instanceof InFile in) {
      return new InFile(in.file(), in.offset() + from, length);
    }
    ByteBuffer bytes = ((InMemory) values).bytes();
    return new InMemory(bytes.slice(Math.toIntExact(from), Math.toIntExact(length)));
  }

  /**
   * Reads the elements as float32: F16 and BF16 exactly, F64 rounded.
   *
   * @return row-major in the shape that a layer sees; the caller's own
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if the elements are not floats
   */
  public float[] floats() throws IOException {
    float[] stored = inMemory();
    if (!transposed) {
      return stored;
    }
    int rows = Math.toIntExact(shape.get(0));
    int columns = Math.toIntExact(shape.get(1));
    float[] turned = new float[stored.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        turned[column * rows + row] = stored[row * columns + column];
      }
    }
    return turned;
  }

  private float[] inMemory() throws IOException {
    if (values instanceof InFile at) {
      return info(at.file(), at.offset(), at.length()).readFloats();
    }
    if (values instanceof Changed changed) {
      float[] sums = changed.weight.inMemory();
      changed.change.addTo(sums);
      return sums;
    }
    ByteBuffer bytes = ((InMemory) values).bytes();
    return info(Path.of("memory"), 0, bytes.remaining()).floats(bytes);
  }

  private TensorInfo info(Path file, long offset, long length) {
    return new TensorInfo("weight", file, type, shape, offset, length);
  }

  /** This weight, read into memory if it begins in the middle of an element of its file. */
  Weight aligned() throws IOException {
    if (!(values instanceof InFile in) || in.offset() % Math.max(1, type.bits() / 8) == 0) {
      return this;
    }
    ByteBuffer bytes = info(in.file(), in.offset(), in.length()).readBytes();
    return new Weight(type, shape, new InMemory(bytes), transposed);
  }

  /**
   * Type and shape for messages.
   *
   * @return such as {@code F16[320, 4, 3, 3]}
   */
  public String describe() {
    return type + seen().toString();
  }

  private static long elements(List<Long> shape) {
    try {
      return shape.stream().reduce(1L, Math::multiplyExact);
    } catch (ArithmeticException e) {
      throw new ModelFormatException("a tensor of shape " + shape + " is too large", e);
    }
  }

  private static List<Long> list(long... shape) {
    return Arrays.stream(shape).boxed().toList();
  }
}
