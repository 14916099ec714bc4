package io.github.diffusion4j.tensor;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * Named tensors of one safetensors file or of a sharded set. Safe for use by several threads; after
 * {@link #close} every method throws {@link IllegalStateException}.
 *
 * <p>Files are memory-mapped and must not change while they are open. Mapped memory is given back
 * by the garbage collector some time after {@code close}: on Windows a file cannot be deleted
 * before that.
 */
public sealed interface TensorStore extends AutoCloseable
    permits SafetensorsFile, ShardedSafetensors {

  /**
   * Opens a {@code .safetensors} file, or a sharded set by its index, a {@code .json} file such as
   * {@code model.safetensors.index.json} or {@code model.safetensors.index.fp16.json}.
   *
   * @param path the file
   * @return the tensors; the caller closes it
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if it is not what its name says
   */
  static TensorStore open(Path path) throws IOException {
    return path.toString().endsWith(".json")
        ? ShardedSafetensors.open(path)
        : SafetensorsFile.open(path);
  }

  /**
   * Names of all tensors, in order of their position in the file (of a sharded set: of the index).
   *
   * @return the names, unmodifiable
   */
  Set<String> names();

  /**
   * Free text that the file carries beside the tensors.
   *
   * @return unmodifiable, empty if there is none
   */
  Map<String, String> metadata();

  /**
   * Type, shape and place of a tensor.
   *
   * @param name one of {@link #names}
   * @return what the header says, checked against the file
   * @throws ModelFormatException if there is no such tensor
   */
  TensorInfo info(String name);

  /**
   * The bytes of a tensor, little endian, not copied.
   *
   * @param name one of {@link #names}
   * @return a read-only view from position 0 to the tensor's length; stays valid after {@link
   *     #close}
   * @throws ModelFormatException if there is no such tensor or it is over 2 GiB
   */
  ByteBuffer buffer(String name);

  /**
   * A floating point tensor as float32: F16 and BF16 exactly, F64 rounded to nearest.
   *
   * @param name one of {@link #names}
   * @return the elements, row-major; the caller's own
   * @throws ModelFormatException if there is no such tensor or it is of another kind
   */
  float[] floats(String name);

  /**
   * An integer or boolean tensor; U8 is 0 to 255, BOOL 0 or 1.
   *
   * @param name one of {@link #names}
   * @return the elements, row-major; the caller's own
   * @throws ModelFormatException if there is no such tensor or it is of another kind
   */
  long[] longs(String name);

  @Override
  void close();
}
