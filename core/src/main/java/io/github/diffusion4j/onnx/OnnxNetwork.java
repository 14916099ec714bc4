package io.github.diffusion4j.onnx;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A network in an ONNX file, whose graph is copied while its weights stay in the file.
 *
 * @param file an ONNX model
 */
public record OnnxNetwork(Path file) implements NetworkSource {

  @Override
  public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    return build(edits);
  }

  /**
   * Edits a copy of the graph.
   *
   * @param edits changes of the graph
   * @return the model; its weights stay in their files
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if the graph cannot be changed so
   */
  public BuiltModel build(List<GraphEdit> edits) throws IOException {
    return GraphEditor.edit(file, edits);
  }

  @Override
  public Map<String, LowRank.Shape> layers() throws IOException {
    Map<String, LowRank.Shape> shapes = new TreeMap<>();
    OnnxLayers.of(OnnxGraph.read(file))
        .layers()
        .forEach((name, layer) -> shapes.put(name, layer.shape()));
    return shapes;
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    return OnnxWeights.of(file).ending(suffix);
  }
}
