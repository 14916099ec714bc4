package io.github.diffusion4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fresh processes: no connection is tried, and the native library is unpacked once. */
class OfflineTest {
  @TempDir Path folder;

  private String run(String... settings) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-DDJL_CACHE_DIR=" + folder.resolve("cache"));
    command.addAll(List.of(settings));
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(ConnectionRecorder.class.getName());
    command.add(Goldens.bundled("tokenizers").resolve("clip-tiny").toString());
    Path output = folder.resolve("output.txt");
    ProcessBuilder process =
        new ProcessBuilder(command)
            .redirectOutput(output.toFile())
            .redirectError(folder.resolve("error.txt").toFile());
    process.environment().keySet().removeAll(List.of("OPT_OUT_TRACKING", "JAVA_TOOL_OPTIONS"));
    assertEquals(0, process.start().waitFor(), () -> readError());
    return Files.readString(output, StandardCharsets.UTF_8).strip();
  }

  private String readError() {
    try {
      return Files.readString(folder.resolve("error.txt"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void noConnectionIsTried() throws Exception {
    assertEquals("connections 0, offline true, opted out true", run());
  }

  @Test
  void aUsersOwnSettingsHoldAndTheRecorderSeesWhatTheyAllow() throws Exception {
    String output = run("-DOPT_OUT_TRACKING=false", "-Dai.djl.offline=false");
    assertNotEquals("connections 0", output.split(",")[0]);
    assertEquals("offline false, opted out false", output.substring(output.indexOf("offline")));
  }

  @Test
  void theNativeLibraryIsUnpackedOnce() throws Exception {
    run();
    List<Object> first = libraries();
    assertEquals(1, first.size(), first::toString);
    run();
    assertEquals(first, libraries());
  }

  /** Path, time and identity of every unpacked file. */
  private List<Object> libraries() throws IOException {
    List<Object> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        BasicFileAttributes about = Files.readAttributes(file, BasicFileAttributes.class);
        found.add(List.of(file, about.creationTime(), about.lastModifiedTime(), about.size()));
      }
    }
    return found;
  }
}
