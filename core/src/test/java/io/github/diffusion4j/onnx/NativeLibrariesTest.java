package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each start is a JVM of its own, for ONNX Runtime is loaded once in a JVM. */
class NativeLibrariesTest {
  @TempDir Path folder;

  private static final class Start {
    private final Process process;
    private final Path output;

    Start(Path folder, Map<String, String> environment, String... options) throws IOException {
      Path own = Files.createTempDirectory(folder, "start");
      output = own.resolve("output");
      Path temporary = Files.createDirectory(own.resolve("tmp"));
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData"));
      command.add("-Djava.io.tmpdir=" + temporary);
      command.addAll(List.of(options));
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.add(NativeProbe.class.getName());
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().remove(UserCache.VARIABLE);
      builder.environment().putAll(environment);
      process = builder.redirectOutput(output.toFile()).start();
    }

    /** What the probe printed, by name; {@code log} is all of it. */
    Map<String, String> result() throws IOException, InterruptedException {
      assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the probe hangs");
      String text = Files.readString(output);
      assertEquals(0, process.exitValue(), text);
      Map<String, String> values = new HashMap<>(Map.of("log", text));
      text.lines()
          .filter(line -> line.matches("[a-z]+=.*"))
          .forEach(line -> values.put(line.split("=", 2)[0], line.split("=", 2)[1]));
      assertEquals("passed", values.get("trial"), text);
      // Without its logger ONNX Runtime hides why a provider does not load.
      assertEquals("true", values.get("environment"), text);
      return values;
    }
  }

  private Map<String, String> start(String... options) throws IOException, InterruptedException {
    return new Start(folder, Map.of(), options).result();
  }

  private static String cache(Path path) {
    return "-D" + UserCache.PROPERTY + "=" + path;
  }

  @Test
  void secondStartReusesWhatTheFirstUnpacked() throws IOException, InterruptedException {
    Path cache = folder.resolve("cache");
    Map<String, String> first = start(cache(cache));
    assertEquals("CACHE", first.get("source"), first.get("log"));
    assertEquals("unpacked now, once", first.get("why"));
    Path natives = Path.of(first.get("folder"));
    assertTrue(natives.startsWith(cache.resolve("natives")), natives.toString());
    Map<Path, FileTime> written = times(natives);
    assertTrue(written.size() >= 2, written.toString());

    Map<String, String> second = start(cache(cache));
    assertEquals("CACHE", second.get("source"));
    assertEquals("unpacked by an earlier start", second.get("why"));
    assertEquals(written, times(natives));
    assertEquals("0", first.get("copied"));
    assertEquals("0", second.get("copied"));
  }

  private static Map<Path, FileTime> times(Path natives) throws IOException {
    Map<Path, FileTime> times = new HashMap<>();
    try (Stream<Path> files = Files.list(natives)) {
      for (Path file : files.toList()) {
        times.put(file, Files.getLastModifiedTime(file));
      }
    }
    return times;
  }

  @Test
  void environmentVariableNamesTheCache() throws IOException, InterruptedException {
    Path cache = folder.resolve("variable");
    Map<String, String> result =
        new Start(folder, Map.of(UserCache.VARIABLE, cache.toString())).result();
    assertTrue(Path.of(result.get("folder")).startsWith(cache), result.get("log"));
  }

  @Test
  void twoJvmsUnpackAtOnce() throws IOException, InterruptedException {
    Path cache = folder.resolve("shared");
    List<Start> starts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      starts.add(new Start(folder, Map.of(), cache(cache)));
    }
    String natives = "";
    for (Start start : starts) {
      Map<String, String> result = start.result();
      assertEquals("CACHE", result.get("source"), result.get("log"));
      natives = result.get("folder");
    }
    for (Path file : times(Path.of(natives)).keySet()) {
      assertTrue(!file.toString().endsWith(".tmp"), file.toString());
    }
  }

  @Test
  void pathThatTheUserSetIsRespected() throws IOException, InterruptedException {
    Path cache = folder.resolve("cache");
    Path own = Path.of(start(cache(cache)).get("folder"));
    Path unused = folder.resolve("unused");
    Map<String, String> result =
        start(cache(unused), "-D" + NativeLibraries.PATH_PROPERTY + "=" + own);
    assertEquals("USER", result.get("source"), result.get("log"));
    assertEquals(own.toString(), result.get("folder"));
    assertTrue(Files.notExists(unused));
  }

  @Test
  void singleLibrarySettingsOfTheUserAreRespected() throws IOException, InterruptedException {
    Path natives = Path.of(start(cache(folder.resolve("cache"))).get("folder"));
    String core = System.mapLibraryName("onnxruntime");
    Path unused = folder.resolve("unused");
    Map<String, String> result =
        start(cache(unused), "-Donnxruntime.native.onnxruntime.path=" + natives.resolve(core));
    assertEquals("USER", result.get("source"), result.get("log"));
    assertTrue(Files.notExists(unused));
  }

  @Test
  void cacheThatCannotBeWrittenIsOnlyASentence() throws IOException, InterruptedException {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    Map<String, String> result = start(cache(file.resolve("cache")));
    assertEquals("ONNX_RUNTIME", result.get("source"), result.get("log"));
    assertTrue(result.get("why").startsWith("the cache cannot be used: "), result.get("why"));
    assertTrue(result.get("log").contains("unpacks its libraries at each start"));
    assertNotEquals("0", result.get("copied"));
  }

  @Test
  void userWithoutHomeStarts() throws IOException, InterruptedException {
    Map<String, String> environment = Map.of("XDG_CACHE_HOME", "", "LOCALAPPDATA", "");
    Map<String, String> result = new Start(folder, environment, "-Duser.home=?").result();
    assertEquals("ONNX_RUNTIME", result.get("source"), result.get("log"));
    assertTrue(result.get("why").contains("set -Ddiffusion4j.cache=FOLDER"), result.get("why"));
  }
}
