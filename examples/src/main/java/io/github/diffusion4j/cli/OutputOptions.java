package io.github.diffusion4j.cli;

import io.github.diffusion4j.image.ImageFormat;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.tensor.AtomicFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Where pictures and reports go. */
final class OutputOptions {

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE|DIR",
      description =
          "Picture (.png, .jpg or .jpeg; further ones get -1, -2 …) or folder (a new one ends in /)."
              + " Default: the current folder, named by prompt and seed; existing files stay.")
  private String out;

  @Option(
      names = "--grid",
      arity = "0..1",
      paramLabel = "FILE",
      parameterConsumer = PictureName.class,
      description = "Also write all pictures on one sheet.")
  private String grid;

  @Option(
      names = "--save-latents",
      paramLabel = "FILE",
      description =
          "Also write latents and decoded images as float32 safetensors: initial, step.N, final,"
              + " image.")
  private Path latents;

  @Option(names = "--json", description = "Print one JSON object about the run, nothing else.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print nothing but errors.")
  private boolean quiet;

  boolean json() {
    return json;
  }

  boolean quiet() {
    return quiet;
  }

  boolean wantsGrid() {
    return grid != null;
  }

  Optional<Path> latents() {
    return Optional.ofNullable(latents);
  }

  /** Where the pictures go; what cannot be written is found here, before any work. */
  OutputNames check() throws IOException {
    try {
      OutputNames names = names();
      if (sheet().isPresent()) {
        PictureFile.checkWritable(sheet().get());
        probe(sheet().get());
      }
      if (latents != null) {
        AtomicFile.checkWritable(latents);
        probe(latents);
      }
      probe(names.folder().resolve("probe"));
      return names;
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot write to " + e.getMessage(), e);
    }
  }

  /** The sheet's file, where one is named. */
  private Optional<Path> sheet() {
    return Optional.ofNullable(grid).filter(name -> !name.isEmpty()).map(Path::of);
  }

  /** Permissions do not tell all: only a file that was made proves that files can be made there. */
  private static void probe(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    try {
      Files.delete(Files.createTempFile(folder, ".diffusion4j-", ".tmp"));
    } catch (IOException e) {
      throw new IOException("the folder " + folder + ": no file can be made there", e);
    }
  }

  private OutputNames names() throws IOException {
    Optional<Path> sheet = sheet();
    if (out == null) {
      return OutputNames.in(Path.of(""), sheet);
    }
    Path path = Path.of(out);
    if (out.endsWith("/") || out.endsWith(File.separator)) {
      return OutputNames.in(Files.createDirectories(path), sheet);
    }
    if (Files.isDirectory(path)) {
      return OutputNames.in(path, sheet);
    }
    try {
      PictureFile.checkWritable(path);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "--out must end in .png, .jpg or .jpeg, or be a folder (a new one ends in /), got \""
              + out
              + "\"",
          e);
    }
    return OutputNames.of(path, sheet);
  }

  /** Takes the word behind --grid only if it names a picture: it may be the prompt. */
  static final class PictureName implements IParameterConsumer {
    @Override
    public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
      option.setValue(!words.isEmpty() && isPicture(words.peek()) ? words.pop() : "");
    }

    private static boolean isPicture(String word) {
      try {
        ImageFormat.of(Path.of(word));
        return true;
      } catch (IllegalArgumentException e) {
        return false;
      }
    }
  }
}
