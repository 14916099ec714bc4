package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Finds golden files: in the folder of the system property "goldens", else the bundled ones. */
public final class Goldens {
  /** Python writes -Infinity into JSON. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  private static final List<String> PARTS =
      List.of("schedulers", "random", "tokenizers", "pipelines");
  private static final Set<String> MODEL_FILES =
      Set.of(
          "tokenizer.json",
          "vocab.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "model_index.json");

  private Goldens() {}

  /** Folder of one part: tokenizers, pipelines, ... */
  public static Path folder(String part) {
    String given = System.getProperty("goldens", "");
    if (given.isEmpty()) {
      return bundled(part);
    }
    // Tests run in the module's folder, people name folders from the project's.
    Path root = Files.isDirectory(Path.of(given)) ? Path.of(given) : Path.of("..", given);
    if (PARTS.stream().noneMatch(name -> Files.isDirectory(root.resolve(name)))) {
      throw new IllegalStateException("-Dgoldens=" + root + " has none of the folders " + PARTS);
    }
    return Files.isDirectory(root.resolve(part)) ? root.resolve(part) : bundled(part);
  }

  /** A file or folder of a part; the bundled one where the given folder lacks it. */
  public static Path find(String part, String name) {
    Path given = folder(part).resolve(name);
    return Files.exists(given) ? given : bundled(part).resolve(name);
  }

  /**
   * The JSON files of a form: all that the given folder holds, at most two levels down, else the
   * bundled ones.
   *
   * @param form recognises the form by a file's content
   */
  public static Map<Path, JsonNode> all(String part, Predicate<JsonNode> form) {
    Map<Path, JsonNode> found = search(folder(part), form);
    found = found.isEmpty() ? search(bundled(part), form) : found;
    if (found.isEmpty()) {
      throw new IllegalStateException("no golden file of the form wanted in " + part);
    }
    return found;
  }

  private static Map<Path, JsonNode> search(Path root, Predicate<JsonNode> form) {
    Map<Path, JsonNode> found = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root, 2)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        boolean golden = name.endsWith(".json") && !MODEL_FILES.contains(name);
        JsonNode json = golden ? read(file) : null;
        if (golden && form.test(json)) {
          found.put(file, json);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** A JSON file. */
  public static JsonNode read(Path file) {
    try {
      return JSON.readTree(Files.readAllBytes(file));
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

  /** Folder of one part as bundled, for tests of more than goldens. */
  public static Path bundled(String part) {
    try {
      return Path.of(Goldens.class.getResource("/goldens/" + part).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
