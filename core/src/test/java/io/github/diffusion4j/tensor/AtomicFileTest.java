package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {

  @TempDir Path folder;

  @Test
  void replacesAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "before");
    AtomicFile.write(file, out -> out.write("after".getBytes()));
    assertEquals("after", Files.readString(file));
    assertOnly(file);
  }

  @Test
  void whatWasThereStaysOnAnyError() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "before");
    Throwable failure = new IOException("disk full");
    for (Throwable thrown :
        List.of(failure, new IllegalStateException("bug"), new StackOverflowError())) {
      Throwable seen =
          assertThrows(
              Throwable.class,
              () ->
                  AtomicFile.write(
                      file,
                      out -> {
                        out.write(new byte[100_000]);
                        AtomicFileTest.<RuntimeException>sneak(thrown);
                      }));
      assertSame(thrown, seen);
      assertEquals("before", Files.readString(file));
      assertOnly(file);
    }
  }

  @Test
  void writesThroughALink() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "before");
    Path link = Files.createSymbolicLink(folder.resolve("link.txt"), file);
    AtomicFile.write(link, out -> out.write("after".getBytes()));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("after", Files.readString(file));
  }

  @Test
  void saysBeforehandWhatIsInTheWay() throws IOException {
    assertThrows(
        NoSuchFileException.class, () -> AtomicFile.checkWritable(folder.resolve("no/a.png")));
    FileSystemException error =
        assertThrows(FileSystemException.class, () -> AtomicFile.checkWritable(folder));
    assertEquals("exists and is not a regular file", error.getReason());
    assertThrows(
        FileSystemException.class,
        () -> AtomicFile.checkWritable(folder.getFileSystem().getPath("/")));
    AtomicFile.checkWritable(Path.of("relative.png"));
  }

  private void assertOnly(Path file) throws IOException {
    try (var files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }
}
