package io.github.diffusion4j.onnx;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network with changes of its graph.
 *
 * @param base without them
 * @param changes made before those that are asked for when it is built
 */
record EditedNetwork(NetworkSource base, List<GraphEdit> changes) implements NetworkSource {

  EditedNetwork {
    changes = List.copyOf(changes);
  }

  @Override
  public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    return base.build(runtime, joined(changes, edits));
  }

  @Override
  public List<GraphEdit> edits() {
    return joined(base.edits(), changes);
  }

  private static List<GraphEdit> joined(List<GraphEdit> first, List<GraphEdit> others) {
    List<GraphEdit> all = new ArrayList<>(first);
    all.addAll(others);
    return all;
  }

  @Override
  public Path file() {
    return base.file();
  }

  @Override
  public List<Path> otherFiles() {
    return base.otherFiles();
  }

  @Override
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    return base.weightEnding(suffix);
  }

  @Override
  public Map<String, LowRank.Shape> layers() throws IOException {
    return base.layers();
  }
}
