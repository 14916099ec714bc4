package io.github.diffusion4j.cli;

import io.github.diffusion4j.image.PictureFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/** The pictures of a batch file. Not thread-safe. */
final class Batch {

  /** Gives seeds to lines that say none. */
  @FunctionalInterface
  interface Seeds {
    /** The first seed of a line. */
    long of(int line, LongSupplier otherwise);
  }

  /** Options that change nothing in a picture, or that an entry holds by itself. */
  private static final Set<String> NOT_COMPARED =
      Set.of(
          "seed",
          "count",
          "out",
          "batch-file",
          "manifest",
          "templates",
          "wildcards",
          "matrix",
          "grid",
          "save-latents",
          "json",
          "quiet",
          "debug",
          "preview",
          "preview-model",
          "threads",
          "optimized-cache");

  private final Path file;
  private final RequestOptions request;
  private final Map<String, String> given;
  private final List<BatchLine> lines;
  private OptionalLong shared = OptionalLong.empty();

  private Batch(Path file, RequestOptions request, Map<String, String> given) throws IOException {
    this.file = file;
    this.request = request;
    this.given = Map.copyOf(given);
    this.lines = BatchReader.read(file);
  }

  /**
   * Reads a batch file.
   *
   * @param request has the file, and what its lines leave open
   * @param given the command line's options by name, as given
   */
  static Batch read(RequestOptions request, Map<String, String> given) throws IOException {
    return new Batch(request.batchFile().orElseThrow(), request, given);
  }

  /** The manifest, which goes beside the pictures if nothing else is asked for. */
  Manifest manifest(Path folder) throws IOException {
    Path name = file.getFileName();
    Path path = request.manifest().orElseGet(() -> folder.resolve("manifest.jsonl"));
    if (path.toAbsolutePath().normalize().equals(file.toAbsolutePath().normalize())) {
      throw new IllegalArgumentException(
          file + " is the batch file; choose another --manifest for what becomes of it");
    }
    return Manifest.open(path, name.toString());
  }

  /**
   * All pictures, checked as far as they can be without a model.
   *
   * @param names where pictures go
   * @param manifest knows the seeds of earlier runs
   */
  List<BatchPicture> pictures(OutputNames names, Manifest manifest) throws IOException {
    List<BatchPicture> pictures = new ArrayList<>();
    Map<Path, Integer> targets = new HashMap<>();
    for (BatchLine line : lines) {
      try {
        List<BatchPicture> added = pictures(line, names, manifest);
        checkTargets(added, line, targets);
        pictures.addAll(added);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(BatchReader.at(file, line.number(), e.getMessage()), e);
      } catch (IOException e) {
        throw new IOException(BatchReader.at(file, line.number(), e.getMessage()), e);
      }
    }
    return pictures;
  }

  private List<BatchPicture> pictures(BatchLine line, OutputNames names, Manifest manifest)
      throws IOException {
    List<BatchPicture> pictures = new ArrayList<>();
    Map<String, String> options = new TreeMap<>(given);
    options.putAll(line.options().given());
    options.keySet().removeAll(NOT_COMPARED);
    if (!options.containsKey("memory")) {
      options.remove("residency"); // under a limit it decides on tiles
    }
    int number = 0;
    for (Job job : request.jobs(line, (at, other) -> seed(manifest.seed(at), other))) {
      Optional<Path> target = names.reserve(line.options().out(), number++);
      pictures.add(new BatchPicture(job, line.number(), number, options, target));
    }
    return pictures;
  }

  private long seed(OptionalLong earlier, LongSupplier otherwise) {
    if (earlier.isPresent()) {
      return earlier.getAsLong();
    }
    if (shared.isEmpty()) {
      shared = OptionalLong.of(otherwise.getAsLong());
    }
    return shared.getAsLong();
  }

  /** No two lines may have the same file. */
  private static void checkTargets(
      List<BatchPicture> pictures, BatchLine line, Map<Path, Integer> targets) throws IOException {
    for (BatchPicture picture : pictures) {
      if (picture.target().isEmpty()) {
        continue;
      }
      Path target = picture.target().get().toAbsolutePath().normalize();
      Integer other = targets.put(target, line.number());
      if (other != null) {
        throw new BatchLine.WrongKeyException(
            "out", "a file of its own", target + ", which is that of line " + other);
      }
      if (line.options().out().isPresent()) {
        checkWritable(target);
      }
    }
  }

  private static void checkWritable(Path target) {
    try {
      PictureFile.checkWritable(target);
    } catch (IOException | IllegalArgumentException e) {
      throw new BatchLine.WrongKeyException("out", e.getMessage());
    }
  }
}
