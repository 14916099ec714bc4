package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An ONNX model built in memory. Its large weights are not in it: most are ranges of files in one
 * folder, others are in memory or computed when they are read. Immutable, but for what is in
 * memory, which must not change.
 */
public final class BuiltModel {

  /** Takes a weight's elements in parts. */
  @FunctionalInterface
  public interface Sink {

    /**
     * Takes the next part.
     *
     * @param part whole elements, little endian, from position to limit; valid during the call
     * @throws IOException if it cannot be kept
     */
    void accept(ByteBuffer part) throws IOException;
  }

  /** A weight's elements, row-major, as often as they are wanted. */
  @FunctionalInterface
  public interface Elements {

    /**
     * Gives all elements in their order.
     *
     * @param sink takes them
     * @throws IOException if a file cannot be read, or the sink throws it
     */
    void writeTo(Sink sink) throws IOException;
  }

  /**
   * A weight that is not in a file as it is: in memory, or computed when it is read.
   *
   * @param type element type
   * @param shape dimensions
   * @param elements as many as the shape says
   */
  public record Buffer(ElementType type, List<Long> shape, Elements elements) {

    private record Given(ByteBuffer bytes) implements Elements {
      @Override
      public void writeTo(Sink sink) throws IOException {
        sink.accept(bytes.duplicate().order(bytes.order()));
      }
    }

    /** Copies the shape. */
    public Buffer {
      requireNonNull(type, "type");
      requireNonNull(elements, "elements");
      shape = List.copyOf(shape);
    }

    /**
     * A weight in memory.
     *
     * @param type element type
     * @param shape dimensions
     * @param bytes elements, row-major, little endian, from position to limit; must not change
     */
    public Buffer(ElementType type, List<Long> shape, ByteBuffer bytes) {
      this(type, shape, new Given(bytes.slice().order(ByteOrder.LITTLE_ENDIAN)));
      if (bytes.remaining() != length()) {
        throw new IllegalArgumentException(
            "bytes must be " + length() + " for " + type + shape + ", got " + bytes.remaining());
      }
    }

    /** Bytes that the elements take. */
    long length() {
      return shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    }

    /**
     * All elements.
     *
     * @return little endian, from position to limit; those given as they were, others outside the
     *     Java heap
     * @throws IOException if a file cannot be read
     */
    public ByteBuffer bytes() throws IOException {
      if (elements instanceof Given given) {
        return given.bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
      }
      ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(length()));
      elements.writeTo(bytes::put);
      return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private final byte[] model;
  private final Optional<Path> folder;
  private final Map<String, Buffer> buffers;

  /**
   * A model and where its weights are.
   *
   * @param model in the ONNX format; initializers stored in files name them relative to the folder;
   *     kept, must not change
   * @param folder where these files are; empty if there are none
   * @param buffers weights that are not in files, by the names of initializers that the model marks
   *     as external
   */
  public BuiltModel(byte[] model, Optional<Path> folder, Map<String, Buffer> buffers) {
    this.model = requireNonNull(model, "model");
    this.folder = folder.map(Path::toAbsolutePath);
    this.buffers = Map.copyOf(buffers);
  }

  /**
   * Size of the model itself.
   *
   * @return bytes, without the weights in files and buffers
   */
  public long size() {
    return model.length;
  }

  /** The serialized graph; must not be changed. */
  byte[] bytes() {
    return model;
  }

  /** Where the files of weights are. */
  Optional<Path> folder() {
    return folder;
  }

  /** Weights that are not in files. */
  Map<String, Buffer> buffers() {
    return buffers;
  }
}
