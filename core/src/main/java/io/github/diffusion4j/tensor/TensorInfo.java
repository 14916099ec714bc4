package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ModelFormatException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
   * Some entries of the first dimension, which lie in one piece.
   *
   * @param from the first
   * @param to the one after the last
   * @return their part of this tensor
   * @throws IllegalArgumentException if there are no such entries
   */
  public TensorInfo rows(long from, long to) {
    if (shape.isEmpty() || from < 0 || to <= from || to > shape.get(0)) {
      throw new IllegalArgumentException(
          "rows must be some of tensor %s %s, got %d to %d".formatted(name, shape, from, to));
    }
    List<Long> part = new ArrayList<>(shape);
    part.set(0, to - from);
    long row = length / shape.get(0);
    return new TensorInfo(name, file, type, part, offset + from * row, (to - from) * row);
  }

  /**
   * Reads this tensor's elements from its file, as float32: F16 and BF16 exactly, F64 rounded.
   *
   * @return the elements, row-major; the caller's own
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if the file is too short, or the tensor not of floats
   */
  public float[] readFloats() throws IOException {
    try (SeekableByteChannel channel = open()) {
      return ElementReader.floats(this, (from, count) -> bytes(channel, from, count));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Reads this tensor's bytes from its file.
   *
   * @return little endian, from position 0; the caller's own
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if the file is too short, or the tensor over 2 GiB
   */
  public ByteBuffer readBytes() throws IOException {
    if (length > Integer.MAX_VALUE - 8) {
      throw new ModelFormatException(
          ElementReader.describe(this) + ": " + length + " bytes do not fit into one buffer");
    }
    try (SeekableByteChannel channel = open()) {
      return bytes(channel, 0, (int) length);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private SeekableByteChannel open() throws IOException {
    SeekableByteChannel channel = Files.newByteChannel(file);
    long size = channel.size();
    if (offset > size - length) {
      channel.close();
      throw new ModelFormatException(
          "%s: expected bytes %d to %d of it, but the file has %d; download it again"
              .formatted(ElementReader.describe(this), offset, offset + length, size));
    }
    return channel;
  }

  /**
   * Takes this tensor's elements from its bytes, as float32: F16 and BF16 exactly, F64 rounded.
   *
   * @param bytes as many as this tensor has, from the position
   * @return the elements, row-major; the caller's own
   * @throws ModelFormatException if the tensor is not of floats
   */
  public float[] floats(ByteBuffer bytes) {
    int start = bytes.position();
    return ElementReader.floats(
        this,
        (from, count) -> bytes.slice(start + (int) from, count).order(ByteOrder.LITTLE_ENDIAN));
  }

  private ByteBuffer bytes(SeekableByteChannel channel, long from, int count) {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    try {
      channel.position(offset + from);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer) < 0) {
          throw new EOFException(file + ": the file became shorter while it was read");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return buffer.flip();
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
