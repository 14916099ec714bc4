package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.Goldens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** A copy of the tiny bundled Stable Diffusion model that a test may spoil. */
record ModelCopy(Path folder) {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  static Path original() {
    return Goldens.resource("/goldens/pipelines/sd15/model");
  }

  static ModelCopy in(Path parent) throws IOException {
    return of(original(), parent.resolve("model"));
  }

  static ModelCopy of(Path original, Path copy) throws IOException {
    Files.createDirectories(copy.getParent());
    try (Stream<Path> files = Files.walk(original)) {
      files.forEach(
          file -> {
            try {
              Files.copy(file, copy.resolve(original.relativize(file).toString()));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
    return new ModelCopy(copy);
  }

  /** Takes components away, from the folder and from the index. */
  void dropComponents(String... names) throws IOException {
    ObjectNode index = (ObjectNode) JSON.readTree(file("model_index.json").toFile());
    for (String name : names) {
      dropFolder(name);
      index.putArray(name).addNull().addNull();
    }
    JSON.writeValue(file("model_index.json").toFile(), index);
  }

  /** Takes a folder away. */
  void dropFolder(String name) throws IOException {
    try (Stream<Path> files = Files.walk(file(name))) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Puts another file in a file's place. */
  void copy(Path other, String name) throws IOException {
    Files.copy(other, file(name), StandardCopyOption.REPLACE_EXISTING);
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
