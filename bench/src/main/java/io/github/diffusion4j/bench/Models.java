package io.github.diffusion4j.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Model folders as benchmark parameters: {@code shipped}, {@code tiny} (random weights, of the
 * tests), or a path.
 */
final class Models {

  private static final Map<String, String> NAMED =
      Map.of(
          "shipped", "examples/models/emoji-ldm",
          "tiny", "core/src/test/resources/goldens/pipelines/sd15/model");

  private Models() {}

  static Path folder(String model) {
    String named = NAMED.get(model);
    Path folder = named == null ? Path.of(model) : inProject(model, named);
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "model must be shipped, tiny or a model's folder, got "
              + folder.toAbsolutePath()
              + ", which is none");
    }
    return folder;
  }

  /** The working folder is the project's root or one of its modules. */
  private static Path inProject(String model, String path) {
    Path start = Path.of("").toAbsolutePath();
    for (Path folder = start; folder != null; folder = folder.getParent()) {
      if (Files.isDirectory(folder.resolve(path))) {
        return folder.resolve(path);
      }
    }
    throw new IllegalArgumentException(
        "model %s is the project's folder %s, which is not above %s; run there or give a path"
            .formatted(model, path, start));
  }
}
