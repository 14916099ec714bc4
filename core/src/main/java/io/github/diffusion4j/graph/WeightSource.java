package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;

/** Where a network's weights can be opened, as often as it is built. Thread-safe. */
public interface WeightSource {

  /**
   * The file, or the first of several.
   *
   * @return what messages name
   */
  Path file();

  /**
   * Opens the weights.
   *
   * @param open closes what is opened
   * @return the weights, usable until then
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if it is not what its name says
   */
  Weights open(Closer open) throws IOException;

  /**
   * A safetensors file, or a sharded set by its index.
   *
   * @param file the file
   * @return its tensors under their own names
   */
  static WeightSource of(Path file) {
    return of(file, open -> Weights.of(open.own(TensorStore.open(file))));
  }

  /** Opens weights. */
  @FunctionalInterface
  interface Opening {

    /**
     * Opens the weights.
     *
     * @param open closes what is opened
     * @return the weights, usable until then
     * @throws IOException if a file cannot be read
     */
    Weights open(Closer open) throws IOException;
  }

  /**
   * Weights of a file that are seen in another way than as its tensors.
   *
   * @param file the file, or the first of several
   * @param opening opens them
   * @return what calls it
   */
  static WeightSource of(Path file, Opening opening) {
    requireNonNull(file, "file");
    requireNonNull(opening, "opening");
    return new WeightSource() {
      @Override
      public Path file() {
        return file;
      }

      @Override
      public Weights open(Closer open) throws IOException {
        return opening.open(open);
      }
    };
  }
}
