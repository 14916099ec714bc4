package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An ONNX model built in memory. Its large weights are not in it: most are ranges of files in one
 * folder, others are buffers. Immutable, but for the buffers, which must not change.
 */
public final class BuiltModel {

  /**
   * A weight in memory.
   *
   * @param type element type
   * @param shape dimensions
   * @param bytes elements, row-major, little endian, from position to limit
   */
  public record Buffer(ElementType type, List<Long> shape, ByteBuffer bytes) {
    /** Copies the shape and checks the length. */
    public Buffer {
      requireNonNull(type, "type");
      shape = List.copyOf(shape);
      long expected = shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
      if (bytes.remaining() != expected) {
        throw new IllegalArgumentException(
            "bytes must be " + expected + " for " + type + shape + ", got " + bytes.remaining());
      }
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
   * @param buffers weights in memory, by the names of initializers that the model marks as external
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

  /** Weights in memory. */
  Map<String, Buffer> buffers() {
    return buffers;
  }
}
