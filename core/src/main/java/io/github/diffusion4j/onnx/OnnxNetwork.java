package io.github.diffusion4j.onnx;

import io.github.diffusion4j.Floats;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network in an ONNX file, whose graph is copied while its weights stay in the file.
 *
 * @param file an ONNX model
 */
public record OnnxNetwork(Path file) implements NetworkSource {

  @Override
  public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    Optional<Path> folder =
        file.getFileSystem() == FileSystems.getDefault()
            ? Optional.of(file.toAbsolutePath().getParent())
            : Optional.empty();
    return new BuiltModel(GraphEditor.edit(file, edits), folder, Map.of());
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    return OnnxWeights.of(file).ending(suffix);
  }
}
