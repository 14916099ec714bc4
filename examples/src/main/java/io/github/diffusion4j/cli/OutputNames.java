package io.github.diffusion4j.cli;

import io.github.diffusion4j.image.ImageFormat;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Names the files of a run, one after the other. Not thread-safe. */
final class OutputNames {

  private static final int LONGEST_SLUG = 60;

  private final Path folder;
  private final Optional<Path> file;
  private final Optional<Path> sheet;
  private final Set<Path> given = new HashSet<>();
  private int named;

  private OutputNames(Path folder, Optional<Path> file, Optional<Path> sheet) {
    this.folder = folder;
    this.file = file;
    this.sheet = sheet;
  }

  /** Names from prompt and seed in a folder that is there. */
  static OutputNames in(Path folder, Optional<Path> sheet) {
    return new OutputNames(folder, Optional.empty(), sheet);
  }

  /** This name, and numbered ones for further pictures. */
  static OutputNames of(Path file, Optional<Path> sheet) {
    Path parent = file.getParent();
    return new OutputNames(parent == null ? Path.of("") : parent, Optional.of(file), sheet);
  }

  /** The pictures' folder. */
  Path folder() {
    return folder;
  }

  /** Where the next picture goes. */
  Path next(Job job) {
    int number = named++;
    return file.map(first -> number == 0 ? first : numbered(first, number))
        .orElseGet(() -> free(folder.resolve(slug(job.prompt()) + "-" + job.seed() + ".png")));
  }

  /**
   * Where a batch file's next picture goes, if that does not depend on what files are there.
   *
   * @param own the line's own file, from the pictures' folder
   * @param number of the picture among those of its line, from 0
   */
  Optional<Path> reserve(Optional<String> own, int number) {
    if (own.isPresent()) {
      Path first = folder.resolve(own.get());
      ImageFormat.of(first);
      return Optional.of(number == 0 ? first : numbered(first, number));
    }
    int count = named;
    named += file.isPresent() ? 1 : 0;
    return file.map(first -> count == 0 ? first : numbered(first, count));
  }

  /** Where the sheet of all pictures goes. */
  Path sheet(Job first) {
    return sheet.orElseGet(
        () -> free(folder.resolve(slug(first.prompt()) + "-" + first.seed() + "-grid.png")));
  }

  /** Neither there nor given to a picture that is still to be written. */
  private Path free(Path wanted) {
    Path path = wanted;
    for (int number = 1;
        Files.exists(path, LinkOption.NOFOLLOW_LINKS) || !given.add(path);
        number++) {
      path = numbered(wanted, number);
    }
    return path;
  }

  private static Path numbered(Path path, int number) {
    String name = path.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return path.resolveSibling(name.substring(0, dot) + "-" + number + name.substring(dot));
  }

  /** A prompt's letters and digits as a file name: ASCII, as not every file system takes more. */
  static String slug(String prompt) {
    String words =
        Normalizer.normalize(
                prompt.substring(0, Math.min(prompt.length(), 10 * LONGEST_SLUG)),
                Normalizer.Form.NFKD)
            .replaceAll("\\p{M}", "")
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "-")
            .replaceAll("^-|-$", "");
    if (words.length() > LONGEST_SLUG) {
      int end = words.lastIndexOf('-', LONGEST_SLUG);
      words = words.substring(0, end > 0 ? end : LONGEST_SLUG);
    }
    return words.isEmpty() ? "picture" : words;
  }
}
