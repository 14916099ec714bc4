package io.github.diffusion4j.tensor;

import static java.util.Objects.requireNonNull;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, then
 * moved to their place. On any error the temporary file is deleted and what was there before stays.
 */
public final class AtomicFile {

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes everything.
     *
     * @param out buffered; closed by the caller
     * @throws IOException if it cannot be written
     */
    void writeTo(OutputStream out) throws IOException;
  }

  private AtomicFile() {}

  /**
   * Writes a file, replacing what was there.
   *
   * @param file where it is to be; its folder must exist
   * @param content writes the bytes
   * @throws IOException if the file cannot be written
   */
  public static void write(Path file, Content content) throws IOException {
    requireNonNull(content, "content");
    Path target = checkWritable(file);
    Path temporary = target.resolveSibling("." + UUID.randomUUID() + ".tmp");
    try {
      try (OutputStream out =
          new BufferedOutputStream(
              Files.newOutputStream(
                  temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              1 << 16)) {
        content.writeTo(out);
      }
      move(temporary, target);
    } catch (IOException | RuntimeException | Error e) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /**
   * Checks, without writing anything, that a file could be written, so that the error comes before
   * the work.
   *
   * @param file where it is to be
   * @return the file that would be written: absolute, links followed
   * @throws IOException if the folder is missing or cannot be written to, or if something that is
   *     read-only or not a regular file is in the way
   */
  public static Path checkWritable(Path file) throws IOException {
    Path target = requireNonNull(file, "file").toAbsolutePath();
    if (target.getFileName() == null) {
      throw new FileSystemException(file.toString(), null, "is not a file");
    }
    if (Files.exists(target)) {
      target = target.toRealPath();
      if (!Files.isRegularFile(target)) {
        throw new FileSystemException(file.toString(), null, "exists and is not a regular file");
      }
      if (!Files.isWritable(target)) {
        throw new FileSystemException(file.toString(), null, "exists and is read-only");
      }
    }
    Path folder = target.getParent();
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(file.toString(), null, "there is no folder " + folder);
    }
    if (!Files.isWritable(folder)) {
      throw new FileSystemException(
          file.toString(), null, "the folder " + folder + " cannot be written to");
    }
    return target;
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
