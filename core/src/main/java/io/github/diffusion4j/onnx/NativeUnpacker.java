package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Fills one folder of the cache with the libraries of one artifact. A file appears under its name
 * only whole, checked and on disk: it is written under a temporary name beside it and moved.
 *
 * @param artifact what to unpack
 * @param folder the folder named after the artifact's content; its parent holds one such folder for
 *     each artifact
 */
record NativeUnpacker(NativeArtifact artifact, Path folder) {
  private static final Logger LOG = System.getLogger(NativeUnpacker.class.getName());
  private static final Duration KEEP_UNUSED = Duration.ofDays(30);
  private static final Duration STAMP_EVERY = Duration.ofDays(1);
  private static final String TEMPORARY = ".tmp";

  /**
   * Unpacks what every start needs: all but the provider libraries, which may be hundreds of
   * megabytes.
   *
   * @return whether anything had to be written
   */
  boolean ensureCore() throws IOException {
    boolean unpacked = false;
    for (String fileName : artifact.entries().keySet()) {
      boolean provider = fileName.contains("_providers_") && !fileName.contains("_shared");
      if (!provider) {
        unpacked |= ensure(fileName);
      }
    }
    if (unpacked) {
      prune();
    } else {
      stamp();
    }
    return unpacked;
  }

  /**
   * Unpacks one library unless it is there.
   *
   * @return whether it had to be written
   */
  boolean ensure(String fileName) throws IOException {
    Path target = folder.resolve(fileName);
    FolderTrust.checkExecutable(folder);
    if (complete(target, fileName)) {
      FolderTrust.check(target);
      return false;
    }
    makeFolders();
    FolderTrust.check(folder);
    write(fileName, target);
    FolderTrust.check(target);
    return true;
  }

  private boolean complete(Path target, String fileName) throws IOException {
    try {
      return Files.isRegularFile(target)
          && Files.size(target) == artifact.entries().get(fileName).size();
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private void makeFolders() throws IOException {
    Files.createDirectories(
        folder.getParent().getParent(), FolderTrust.attributes("rwx------", folder));
    Files.createDirectories(folder, FolderTrust.attributes("rwx------", folder));
  }

  private void write(String fileName, Path target) throws IOException {
    long space = Files.getFileStore(folder).getUsableSpace();
    long size = artifact.entries().get(fileName).size();
    if (space < size) {
      throw new IOException(
          folder + " has " + (space >> 20) + " MB free, " + fileName + " needs " + (size >> 20));
    }
    Path temporary = folder.resolve("." + fileName + "." + UUID.randomUUID() + TEMPORARY);
    try {
      copy(fileName, temporary);
      move(temporary, target, fileName);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Copies out of the jar and compares length and checksum with its table of contents. */
  private void copy(String fileName, Path temporary) throws IOException {
    CRC32 crc = new CRC32();
    long size = 0;
    byte[] block = new byte[1 << 18];
    try (InputStream in = artifact.open(fileName);
        FileChannel out =
            FileChannel.open(
                temporary,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                FolderTrust.attributes("rw-r--r--", folder))) {
      for (int n = in.read(block); n >= 0; n = in.read(block)) {
        crc.update(block, 0, n);
        size += n;
        ByteBuffer bytes = ByteBuffer.wrap(block, 0, n);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
      out.force(true);
    }
    NativeArtifact.Entry expected = artifact.entries().get(fileName);
    if (size != expected.size() || crc.getValue() != expected.crc()) {
      throw new IOException(
          artifact.resource()
              + ": "
              + fileName
              + " is damaged, expected "
              + expected
              + ", found "
              + new NativeArtifact.Entry(size, crc.getValue()));
    }
  }

  private void move(Path temporary, Path target, String fileName) throws IOException {
    try {
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AccessDeniedException e) {
      // Windows refuses to replace a library in use: another JVM has just put the same one there.
      if (!complete(target, fileName)) {
        throw e;
      }
    }
  }

  /** Notes, once a day, that the folder is in use; a read-only folder is left as it is. */
  private void stamp() {
    try {
      Instant now = Instant.now();
      if (Files.getLastModifiedTime(folder).toInstant().isBefore(now.minus(STAMP_EVERY))) {
        prune();
        Files.setLastModifiedTime(folder, FileTime.from(now));
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "The cache folder keeps its date", e);
    }
  }

  /**
   * Deletes the folders of other artifacts that no start has used for 30 days, and what starts that
   * were killed a day ago left half-written.
   */
  private void prune() {
    try {
      for (Path sibling : olderThan(KEEP_UNUSED, folder.getParent())) {
        if (!sibling.equals(folder)) {
          delete(sibling);
        }
      }
      for (Path file : olderThan(STAMP_EVERY, folder)) {
        if (file.toString().endsWith(TEMPORARY)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "Old libraries stay in the cache", e);
    }
  }

  private static List<Path> olderThan(Duration age, Path parent) throws IOException {
    Instant oldest = Instant.now().minus(age);
    List<Path> old = new ArrayList<>();
    try (Stream<Path> files = Files.list(parent)) {
      for (Path file : files.toList()) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(oldest)) {
          old.add(file);
        }
      }
    }
    return old;
  }

  private static void delete(Path old) throws IOException {
    try (Stream<Path> files = Files.list(old)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(old);
  }

  /** One line that says what failed where. */
  static String sentence(Exception e) {
    if (e instanceof AccessDeniedException denied) {
      return denied.getFile() + " may not be written";
    }
    if (e instanceof FileSystemException file && file.getReason() == null) {
      return file.getFile() + ": " + e.getClass().getSimpleName();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
