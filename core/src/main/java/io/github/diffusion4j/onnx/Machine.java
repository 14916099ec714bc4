package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The machine as files and environment variables show it; another root folder stands for another
 * machine.
 *
 * @param root the file system's root, {@code /}
 * @param environment environment variables
 * @param platform operating system and processor
 */
record Machine(Path root, Map<String, String> environment, Platform platform) {
  static Machine current() {
    return new Machine(Path.of("/").toAbsolutePath(), System.getenv(), Platform.current());
  }

  /** The file of an absolute path, which may not exist. */
  Path file(String absolute) {
    return root.resolve(absolute.startsWith("/") ? absolute.substring(1) : absolute);
  }

  /** An environment variable; empty if unset. */
  Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name));
  }

  /** The lines of a small text file; none if it cannot be read. */
  List<String> lines(String absolute) {
    try {
      return Files.readAllLines(file(absolute), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return List.of();
    }
  }

  /** The first line of a small text file. */
  Optional<String> line(String absolute) {
    return lines(absolute).stream().findFirst().map(String::strip);
  }

  /** The sorted names in a folder; none if it cannot be read. */
  List<String> names(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
