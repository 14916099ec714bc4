package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/**
 * Whether what this library has written to a place may be believed, native code above all: nobody
 * but this user and root may be able to change it, and for native code the file system must let it
 * run. A folder above may be open to others if it is sticky, as /tmp is: they cannot replace what
 * is in it. On file systems without POSIX permissions nothing is checked.
 */
final class FolderTrust {
  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

  private static final int STICKY = 01000;

  private FolderTrust() {}

  /**
   * Checks a file or folder and the two folders above it.
   *
   * @throws IOException if someone else owns or may change one of them, saying which
   */
  static void check(Path path) throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return;
    }
    Object self = Files.getAttribute(home(), "unix:uid");
    Path checked = path;
    for (int level = 0; level < 3 && checked != null; level++, checked = checked.getParent()) {
      PosixFileAttributes attributes = Files.readAttributes(checked, PosixFileAttributes.class);
      Set<PosixFilePermission> permissions = attributes.permissions();
      boolean open =
          permissions.contains(PosixFilePermission.OTHERS_WRITE)
              || permissions.contains(PosixFilePermission.GROUP_WRITE);
      if (open && !(level > 0 && sticky(checked))) {
        throw new IOException(checked + " may be changed by other users; run chmod go-w on it");
      }
      Object owner = Files.getAttribute(checked, "unix:uid");
      if (!owner.equals(self) && !owner.equals(0)) {
        throw new IOException(checked + " belongs to another user, " + attributes.owner());
      }
    }
  }

  /** Permissions for what is to be made there, where the file system has them. */
  static FileAttribute<?>[] attributes(String permissions, Path folder) {
    if (!folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return new FileAttribute<?>[0];
    }
    return new FileAttribute<?>[] {
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
    };
  }

  private static boolean sticky(Path folder) throws IOException {
    return ((int) Files.getAttribute(folder, "unix:mode") & STICKY) != 0;
  }

  /** A file that surely belongs to this process's user. */
  private static Path home() {
    Path process = Path.of("/proc/self");
    return Files.isDirectory(process) ? process : Path.of(System.getProperty("user.home"));
  }

  /**
   * Checks that programs may run from the file system a path is on; unknown counts as yes.
   *
   * @throws IOException if it is mounted noexec
   */
  static void checkExecutable(Path path) throws IOException {
    if (Files.isReadable(MOUNTS)) {
      checkExecutable(path, Files.readAllLines(MOUNTS, StandardCharsets.ISO_8859_1));
    }
  }

  /** As {@link #checkExecutable(Path)}, with the lines of {@code /proc/self/mountinfo}. */
  static void checkExecutable(Path path, List<String> mounts) throws IOException {
    Path existing = path.toAbsolutePath();
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    Path real = existing.toRealPath().resolve(existing.relativize(path.toAbsolutePath()));
    Path mountPoint = Path.of("/");
    String options = "";
    for (String line : mounts) {
      String[] fields = line.split(" ");
      // A later mount over the same point hides the earlier one.
      if (fields.length > 5 && fields[4].startsWith("/")) {
        Path point = Path.of(unescape(fields[4]));
        if (real.startsWith(point) && point.startsWith(mountPoint)) {
          mountPoint = point;
          options = fields[5];
        }
      }
    }
    if (List.of(options.split(",")).contains("noexec")) {
      throw new IOException(path + " is on " + mountPoint + ", which is mounted noexec");
    }
  }

  /** Spaces and the like are octal there: {@code \040}. */
  private static String unescape(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    byte[] plain = new byte[bytes.length];
    int length = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\\' && text.substring(i + 1).matches("[0-3][0-7]{2}.*")) {
        plain[length++] = (byte) Integer.parseInt(text.substring(i + 1, i + 4), 8);
        i += 3;
      } else {
        plain[length++] = bytes[i];
      }
    }
    return new String(plain, 0, length, StandardCharsets.UTF_8);
  }
}
