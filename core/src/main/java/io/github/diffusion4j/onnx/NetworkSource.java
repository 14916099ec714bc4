package io.github.diffusion4j.onnx;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A network that is built when it is opened. Safe for use by several threads. */
public interface NetworkSource {

  /**
   * Builds the network.
   *
   * @param runtime what is to run it: precision and operators suit it
   * @param edits changes of the graph
   * @return the model
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of the configuration, or the graph
   *     cannot be changed so
   */
  BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException;

  /**
   * The changes of the graph that are made besides those asked for.
   *
   * @return what {@link #build} adds to its edits by itself
   */
  default List<GraphEdit> edits() {
    return List.of();
  }

  /**
   * The file of weights, or the first of them.
   *
   * @return what messages name
   */
  Path file();

  /**
   * The files of other networks that this one is made of, besides {@link #file}.
   *
   * @return files as of {@link #file}; none for one network alone
   */
  default List<Path> otherFiles() {
    return List.of();
  }

  /**
   * Reads the weight whose name ends so.
   *
   * @param suffix such as {@code final_layer_norm.weight}
   * @return its values, row-major; empty if there is no such weight
   * @throws IOException if its file cannot be read
   * @throws ModelFormatException if several end so, or it is not of floats
   */
  Optional<Floats> weightEnding(String suffix) throws IOException;

  /**
   * The layers with a weight: those that LoRAs can change.
   *
   * @return the weights' shapes by the layers' names, such as {@code mid_block.resnets.0.conv1};
   *     empty if the file's names do not tell
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if it is not what it should be
   */
  default Map<String, LowRank.Shape> layers() throws IOException {
    return Map.of();
  }
}
