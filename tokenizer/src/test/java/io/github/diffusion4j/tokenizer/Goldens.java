package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds golden files: in the folder of the system property "goldens", else the bundled ones. */
public final class Goldens {
  private static final List<String> PARTS =
      List.of("schedulers", "random", "tokenizers", "pipelines");

  private Goldens() {}

  /** Folder of one part: tokenizers, pipelines, ... */
  public static Path folder(String part) {
    String given = System.getProperty("goldens", "");
    if (given.isEmpty()) {
      return bundled(part);
    }
    Path root = Path.of(given);
    if (PARTS.stream().noneMatch(name -> Files.isDirectory(root.resolve(name)))) {
      throw new IllegalStateException("-Dgoldens=" + root + " has none of the folders " + PARTS);
    }
    return Files.isDirectory(root.resolve(part)) ? root.resolve(part) : bundled(part);
  }

  /** A JSON file. */
  public static JsonNode read(Path file) {
    try {
      return new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A JSON array of ids. */
  public static int[] ints(JsonNode array) {
    if (!array.isArray()) {
      throw new IllegalStateException("expected an array of ids, got " + array);
    }
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).intValue();
    }
    return values;
  }

  private static Path bundled(String part) {
    try {
      return Path.of(Goldens.class.getResource("/goldens/" + part).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
