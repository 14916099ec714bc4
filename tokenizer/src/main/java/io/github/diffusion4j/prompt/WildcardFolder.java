package io.github.diffusion4j.prompt;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Wildcard lists in the text files of a folder. */
final class WildcardFolder implements Wildcards {
  /** Parts of letters, digits, blanks and - _ . that start with a letter, digit, - or _. */
  private static final Pattern NAME =
      Pattern.compile(
          "[\\p{L}\\p{N}_-][\\p{L}\\p{N}_. -]*(?:/[\\p{L}\\p{N}_-][\\p{L}\\p{N}_. -]*)*");

  private final Path folder;

  WildcardFolder(Path folder) {
    this.folder = folder;
  }

  @Override
  public List<String> lines(String name) throws IOException {
    if (!NAME.matcher(name).matches()) {
      throw new IOException(
          "wildcard name \"%s\" must be letters, digits, blanks, - _ . and / between folders"
              .formatted(name));
    }
    Path file = folder.resolve(name + ".txt");
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": no such file for the wildcard __" + name + "__");
    }
    if (!file.toRealPath().startsWith(folder.toRealPath())) {
      throw new IOException(file + ": a link out of the wildcard folder is not followed");
    }
    List<String> lines = read(file);
    if (lines.isEmpty()) {
      throw new IOException(file + ": expected a text a line, found none");
    }
    return lines;
  }

  private static List<String> read(Path file) throws IOException {
    try {
      return Files.readAllLines(file).stream()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .toList();
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": expected UTF-8 text; save the file as UTF-8", e);
    }
  }
}
