package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Looks libraries up where the Linux loader would, without loading anything: the asking library's
 * own path, {@code LD_LIBRARY_PATH}, {@code /etc/ld.so.cache}, and the standard folders.
 */
final class LibrarySearch {
  private static final List<String> STANDARD = List.of("/lib64", "/usr/lib64", "/lib", "/usr/lib");

  private final Machine machine;
  private final Map<String, List<String>> cache;
  private final List<Path> environment;
  private final Set<Path> loaded = new LinkedHashSet<>();

  LibrarySearch(Machine machine) {
    this.machine = machine;
    this.cache = LoaderCache.read(machine.file("/etc/ld.so.cache"));
    this.environment = folders(machine.variable("LD_LIBRARY_PATH").orElse(""));
    for (String line : machine.lines("/proc/self/maps")) {
      int path = line.indexOf('/');
      if (path > 0 && line.contains(".so")) {
        loaded.add(machine.file(line.substring(path)));
      }
    }
  }

  private List<Path> folders(String list) {
    List<Path> folders = new ArrayList<>();
    for (String folder : list.split("[:;]")) {
      try {
        if (folder.startsWith("/")) {
          folders.add(machine.file(folder));
        }
      } catch (InvalidPathException e) {
        continue; // no such folder can exist
      }
    }
    return folders;
  }

  /**
   * A library by the name that others need it by.
   *
   * @param name such as {@code libcublas.so.12}
   * @param asking the library that needs it
   * @param elf what that library says of itself
   */
  Optional<Path> find(String name, Path asking, ElfFile elf) {
    List<Path> candidates = new ArrayList<>();
    for (Path library : loaded) {
      String fileName = library.getFileName().toString();
      if (fileName.equals(name) || fileName.startsWith(name + ".")) {
        candidates.add(library);
      }
    }
    environment.forEach(folder -> candidates.add(folder.resolve(name)));
    String origin = asking.toAbsolutePath().getParent().toString();
    for (String folder : elf.searchPath()) {
      String own = folder.replace("${ORIGIN}", "$ORIGIN");
      if (own.startsWith("$ORIGIN")) {
        candidates.add(Path.of(own.replace("$ORIGIN", origin)).resolve(name));
      } else if (own.startsWith("/")) {
        candidates.add(machine.file(own).resolve(name));
      }
    }
    cache.getOrDefault(name, List.of()).forEach(path -> candidates.add(machine.file(path)));
    STANDARD.forEach(folder -> candidates.add(machine.file(folder).resolve(name)));
    return candidates.stream().filter(path -> fits(path, elf.machine())).findFirst();
  }

  /** The loader passes over files that are missing, broken or for another processor. */
  private static boolean fits(Path path, int processor) {
    try {
      return Files.isRegularFile(path) && ElfFile.read(path).machine() == processor;
    } catch (IOException e) {
      return false;
    }
  }

  /** Names of other versions that the loader does see: {@code libcublas.so.13} for {@code .12}. */
  Set<String> otherVersions(String name) {
    int version = name.lastIndexOf(".so.");
    String stem = version < 0 ? name : name.substring(0, version + 4);
    Set<String> found = new TreeSet<>();
    cache.keySet().stream().filter(key -> isVersion(key, stem)).forEach(found::add);
    for (Path folder : environment) {
      machine.names(folder).stream().filter(key -> isVersion(key, stem)).forEach(found::add);
    }
    found.remove(name);
    return found;
  }

  private static boolean isVersion(String name, String stem) {
    return name.startsWith(stem) && name.substring(stem.length()).matches("[0-9]+");
  }

  /** A folder where CUDA is usually put that holds the library though the loader does not look. */
  Optional<Path> unsearchedFolder(String name) {
    Path local = machine.file("/usr/local");
    return machine.names(local).stream()
        .filter(folder -> folder.startsWith("cuda"))
        .flatMap(
            folder ->
                List.of("lib64", "targets/x86_64-linux/lib", "lib").stream()
                    .map(below -> local.resolve(folder).resolve(below)))
        .filter(folder -> Files.isRegularFile(folder.resolve(name)))
        .findFirst();
  }

  /**
   * The libraries that a library needs, itself or through others, and that the loader would not
   * find.
   *
   * @param library an existing library
   * @param provided names that are there once it is loaded, whatever the folders say
   * @throws IOException if the library itself cannot be read
   */
  Set<String> missing(Path library, Set<String> provided) throws IOException {
    Set<String> missing = new LinkedHashSet<>();
    missing(library, ElfFile.read(library), new LinkedHashSet<>(provided), missing);
    return missing;
  }

  private void missing(Path library, ElfFile elf, Set<String> seen, Set<String> missing)
      throws IOException {
    for (String name : elf.needed()) {
      if (seen.add(name)) {
        Optional<Path> found = find(name, library, elf);
        if (found.isPresent()) {
          missing(found.get(), ElfFile.read(found.get()), seen, missing);
        } else {
          missing.add(name);
        }
      }
    }
  }
}
