package io.github.diffusion4j.golden;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A folder of what the reference computes: the one given by {@code -Dgoldens=DIR}, or the bundled
 * copy where that folder lacks the one asked for.
 */
public final class Goldens {

  /** The folders that a whole set has. */
  private static final List<String> FOLDERS =
      List.of("schedulers", "random", "tokenizers", "pipelines");

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private final Path folder;

  private Goldens(Path folder) {
    this.folder = folder;
  }

  public static Goldens of(String name) {
    String given = System.getProperty("goldens", "");
    if (given.isEmpty()) {
      return new Goldens(Path.of("src/test/resources/goldens", name));
    }
    // Tests run in the module's folder, people name folders from the project's.
    Path root = Files.isDirectory(Path.of(given)) ? Path.of(given) : Path.of("..", given);
    if (FOLDERS.stream().noneMatch(folder -> Files.isDirectory(root.resolve(folder)))) {
      throw new IllegalArgumentException(
          "goldens must be a folder with one of " + FOLDERS + ", got " + root.toAbsolutePath());
    }
    return Files.isDirectory(root.resolve(name))
        ? new Goldens(root.resolve(name))
        : new Goldens(Path.of("src/test/resources/goldens", name));
  }

  public Path file(String name) {
    return folder.resolve(name);
  }

  public JsonNode json(String name) throws IOException {
    return JSON.readTree(folder.resolve(name).toFile());
  }

  public Safetensors tensors(String name) throws IOException {
    return Safetensors.read(folder.resolve(name));
  }
}
