package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Lists of texts by name, for {@code __name__} in prompts. Implementations are thread-safe. */
@FunctionalInterface
public interface Wildcards {
  /**
   * The texts of a name.
   *
   * @param name name as written between the double underscores
   * @return one text or more, in their order
   * @throws IOException if there is no such list, it is empty or cannot be read
   */
  List<String> lines(String name) throws IOException;

  /**
   * Lists in text files: {@code animals/cats} is {@code animals/cats.txt}, UTF-8, a text a line.
   * Blank lines and lines that start with # are skipped. Nothing outside the folder is read.
   *
   * @param folder folder of the lists, of any file system
   * @return its lists
   */
  static Wildcards in(Path folder) {
    return new WildcardFolder(requireNonNull(folder, "folder"));
  }

  /**
   * Lists in memory.
   *
   * @param lists texts by name
   * @return these lists
   */
  static Wildcards of(Map<String, List<String>> lists) {
    Map<String, List<String>> copy = Map.copyOf(lists);
    return name -> {
      List<String> lines = copy.getOrDefault(name, List.of());
      if (lines.isEmpty()) {
        throw new IOException("no wildcard list \"" + name + "\", there are " + copy.keySet());
      }
      return List.copyOf(lines);
    };
  }

  /**
   * No lists at all.
   *
   * @return lists without names
   */
  static Wildcards none() {
    return of(Map.of());
  }
}
