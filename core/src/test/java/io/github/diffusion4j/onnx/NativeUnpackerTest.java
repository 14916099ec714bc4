package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeUnpackerTest {
  private static final Platform LINUX = new Platform("linux", "x64");
  private static final String PREFIX = "ai/onnxruntime/native/linux-x64/";
  private static final String CORE = "libonnxruntime.so";
  private static final String CUDA = "libonnxruntime_providers_cuda.so";

  @TempDir Path temporary;
  private NativeArtifact artifact;
  private NativeUnpacker unpacker;

  @BeforeEach
  void jar() throws IOException {
    artifact = NativeArtifact.at(core(Map.of(CORE, "core", CUDA, "cuda"))).orElseThrow();
    unpacker = unpacker(artifact);
  }

  private NativeUnpacker unpacker(NativeArtifact of) {
    return new NativeUnpacker(of, temporary.resolve("cache/natives").resolve(of.key(LINUX)));
  }

  /** A jar like ONNX Runtime's, and the address of its core library. */
  private URL core(Map<String, String> libraries) throws IOException {
    Path jar = Files.createTempFile(temporary, "natives", ".jar");
    Map<String, String> entries = new TreeMap<>(libraries);
    entries.put("debug/" + CORE, "symbols, of no use here");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(PREFIX + entry.getKey()));
        out.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    return URI.create("jar:" + jar.toUri() + "!/" + PREFIX + CORE).toURL();
  }

  @Test
  void readsTheTableOfContents() {
    assertEquals(List.of(CORE, CUDA), List.copyOf(artifact.entries().keySet()));
    assertEquals("onnxruntime_gpu", artifact.artifactId());
    assertTrue(artifact.key(LINUX).matches("onnxruntime_gpu-linux-x64-[0-9a-f]{16}"));
  }

  @Test
  void keyChangesWithContentAndNotWithPlace() throws IOException {
    Map<String, String> same = Map.of(CORE, "core", CUDA, "cuda");
    assertEquals(artifact.key(LINUX), NativeArtifact.at(core(same)).orElseThrow().key(LINUX));
    Map<String, String> changed = new HashMap<>(same);
    changed.put(CUDA, "cudb");
    assertNotEquals(artifact.key(LINUX), NativeArtifact.at(core(changed)).orElseThrow().key(LINUX));
  }

  @Test
  void unpacksTheCoreOnceAndProvidersWhenAsked() throws IOException {
    assertTrue(unpacker.ensureCore());
    assertEquals(List.of(CORE), names());
    assertEquals("core", Files.readString(unpacker.folder().resolve(CORE)));
    FileTime written = Files.getLastModifiedTime(unpacker.folder().resolve(CORE));
    assertFalse(unpacker.ensureCore());
    assertEquals(written, Files.getLastModifiedTime(unpacker.folder().resolve(CORE)));
    assertTrue(unpacker.ensure(CUDA));
    assertFalse(unpacker.ensure(CUDA));
    assertEquals(List.of(CORE, CUDA), names());
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(unpacker.folder())) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void nobodyElseMayWriteThere() throws IOException {
    unpacker.ensureCore();
    assertEquals(
        "rwx------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(unpacker.folder())));
    assertEquals(
        "rw-r--r--",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(unpacker.folder().resolve(CORE))));
  }

  @ParameterizedTest
  @CsvSource({"rwxrwx---,0", "rwx---rwx,0", "rwxrwxrwx,1", "rwxrwxrwx,2"})
  void folderThatOthersMayChangeIsNotTrusted(String permissions, int up) throws IOException {
    unpacker.ensureCore();
    Path open = unpacker.folder();
    for (int i = 0; i < up; i++) {
      open = open.getParent();
    }
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString(permissions));
    NativeUnpacker cold = unpacker;
    String message = assertThrows(IOException.class, () -> cold.ensure(CUDA)).getMessage();
    assertEquals(open + " may be changed by other users; run chmod go-w on it", message);
  }

  @Test
  void libraryThatOthersMayChangeIsNotTrusted() throws IOException {
    unpacker.ensureCore();
    Files.setPosixFilePermissions(
        unpacker.folder().resolve(CORE), PosixFilePermissions.fromString("rw-rw-rw-"));
    assertThrows(IOException.class, unpacker::ensureCore);
  }

  @Test
  void truncatedLibraryIsReplaced() throws IOException {
    unpacker.ensureCore();
    Files.writeString(unpacker.folder().resolve(CORE), "co");
    assertTrue(unpacker.ensureCore());
    assertEquals("core", Files.readString(unpacker.folder().resolve(CORE)));
  }

  @Test
  void damagedJarLeavesNothing() throws IOException {
    NativeArtifact.Entry sound = artifact.entries().get(CORE);
    NativeArtifact damaged =
        new NativeArtifact(
            artifact.resource(),
            Map.of(CORE, new NativeArtifact.Entry(sound.size(), sound.crc() ^ 1)),
            Optional.empty());
    unpacker = unpacker(damaged);
    String message = assertThrows(IOException.class, unpacker::ensureCore).getMessage();
    assertTrue(message.contains(CORE + " is damaged, expected "), message);
    assertEquals(List.of(), names());
  }

  @Test
  void diskThatIsTooFullIsSaidBeforeWriting() {
    NativeArtifact huge =
        new NativeArtifact(
            artifact.resource(),
            Map.of(CORE, new NativeArtifact.Entry(1L << 60, 0)),
            Optional.empty());
    String message =
        assertThrows(IOException.class, () -> unpacker(huge).ensureCore()).getMessage();
    assertTrue(message.contains(" MB free, " + CORE + " needs "), message);
  }

  @Test
  void prunesWhatNoStartUsedForAMonth() throws IOException {
    Path natives = Files.createDirectories(unpacker.folder().getParent());
    Path old = Files.createDirectory(natives.resolve("onnxruntime-old"));
    Files.writeString(old.resolve(CORE), "old");
    Path recent = Files.createDirectory(natives.resolve("onnxruntime-recent"));
    Files.setLastModifiedTime(old, age(31));
    Files.setLastModifiedTime(recent, age(29));
    unpacker.ensureCore();
    assertFalse(Files.exists(old));
    assertTrue(Files.exists(recent));
  }

  @Test
  void usingAFolderKeepsItAndClearsHalfWrittenFiles() throws IOException {
    unpacker.ensureCore();
    Path killed = Files.writeString(unpacker.folder().resolve(".x.tmp"), "half");
    Path running = Files.writeString(unpacker.folder().resolve(".y.tmp"), "half");
    Files.setLastModifiedTime(killed, age(2));
    Files.setLastModifiedTime(unpacker.folder(), age(40));
    assertFalse(unpacker.ensureCore());
    assertFalse(Files.exists(killed));
    assertTrue(Files.exists(running));
    Instant used = Files.getLastModifiedTime(unpacker.folder()).toInstant();
    assertTrue(used.isAfter(Instant.now().minus(Duration.ofMinutes(5))));
  }

  private static FileTime age(int days) {
    return FileTime.from(Instant.now().minus(Duration.ofDays(days)));
  }

  @Test
  void plainFolderOnTheClassPathIsUsedInPlace() throws IOException {
    Path folder = Files.createDirectories(temporary.resolve(PREFIX));
    Path core = Files.writeString(folder.resolve(CORE), "core");
    NativeArtifact plain = NativeArtifact.at(core.toUri().toURL()).orElseThrow();
    assertEquals(Optional.of(folder), plain.folder());
    assertEquals("onnxruntime", plain.artifactId());
    assertArrayEquals("core".getBytes(StandardCharsets.UTF_8), plain.open(CORE).readAllBytes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "36 35 98:0 / /opt rw,noexec - ext4 /dev/a rw | /opt/x | true",
        "36 35 98:0 / /opt rw - ext4 /dev/a rw | /opt/x | false",
        "36 35 98:0 / /other rw,noexec - ext4 /dev/a rw | /opt/x | false",
        "36 35 98:0 / /op rw,noexec - ext4 /dev/a rw | /opt/x | false",
        "36 35 98:0 / /a\\040b rw,noexec - ext4 /dev/a rw | /a b/c | true",
        "broken line | /opt/x | false"
      })
  void noexecMountsAreSeen(String line, String path, boolean refused) throws IOException {
    List<String> mounts = List.of("1 0 8:1 / / rw - ext4 /dev/b rw", line);
    // Only names count: none of these folders has to exist.
    Path asked = Path.of(path);
    if (refused) {
      String message =
          assertThrows(IOException.class, () -> FolderTrust.checkExecutable(asked, mounts))
              .getMessage();
      assertTrue(message.endsWith("which is mounted noexec"), message);
    } else {
      FolderTrust.checkExecutable(asked, mounts);
    }
  }
}
