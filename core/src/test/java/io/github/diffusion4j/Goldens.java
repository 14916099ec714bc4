package io.github.diffusion4j;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where golden values are: the folder of {@code -Dgoldens}, else the test resources. */
public final class Goldens {

  private static final List<String> KINDS =
      List.of("schedulers", "random", "tokenizers", "pipelines");

  private Goldens() {}

  /** A subfolder of the goldens; the bundled one where the given folder has none of this kind. */
  public static Path folder(String kind) {
    String given = System.getProperty("goldens", "");
    if (!given.isBlank()) {
      // Tests run in the module's folder, people name folders from the project's.
      Path root = Files.isDirectory(Path.of(given)) ? Path.of(given) : Path.of("..", given);
      if (KINDS.stream().noneMatch(k -> Files.isDirectory(root.resolve(k)))) {
        throw new IllegalStateException(
            "-Dgoldens=" + root.toAbsolutePath() + " must be a folder with one of " + KINDS);
      }
      if (Files.isDirectory(root.resolve(kind))) {
        return root.resolve(kind);
      }
    }
    return resource("/goldens/" + kind);
  }

  /** A test resource as a file. */
  public static Path resource(String name) {
    URL url = Goldens.class.getResource(name);
    if (url == null) {
      throw new IllegalStateException("missing test resource " + name);
    }
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
