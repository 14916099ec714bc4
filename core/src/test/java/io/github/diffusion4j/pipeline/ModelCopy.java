package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.Goldens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A copy of the tiny bundled Stable Diffusion model that a test may spoil. */
record ModelCopy(Path folder) {

  static Path original() {
    return Goldens.resource("/goldens/pipelines/sd15/model");
  }

  static ModelCopy in(Path parent) throws IOException {
    Path copy = parent.resolve("model");
    try (Stream<Path> files = Files.walk(original())) {
      files.forEach(
          file -> {
            try {
              Files.copy(file, copy.resolve(original().relativize(file).toString()));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
    return new ModelCopy(copy);
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  void write(String name, byte[] content) throws IOException {
    Files.write(file(name), content);
  }

  void delete(String name) throws IOException {
    Files.delete(file(name));
  }

  void truncate(String name, double share) throws IOException {
    byte[] bytes = Files.readAllBytes(file(name));
    write(name, java.util.Arrays.copyOf(bytes, (int) (bytes.length * share)));
  }

  void edit(String name, String from, String to) throws IOException {
    String text = Files.readString(file(name));
    if (!text.contains(from)) {
      throw new IllegalArgumentException(name + " does not contain " + from);
    }
    Files.writeString(file(name), text.replace(from, to));
  }
}
