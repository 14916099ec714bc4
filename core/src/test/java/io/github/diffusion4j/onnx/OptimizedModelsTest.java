package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks whose weights are files of their own, as those of more than 2 GB must be. */
class OptimizedModelsTest {

  private static final int LENGTH = 1000; // more than stays in the graph

  @TempDir private Path folder;
  private Path cache;
  private Path model;
  private int open;

  @BeforeEach
  void writeModel() throws IOException {
    open = NativeCount.open();
    cache = folder.resolve("cache");
    model = Files.createDirectory(folder.resolve("unet")).resolve("model.onnx");
    byte[] bytes =
        new TinyOnnx()
            .input("x", TinyOnnx.FLOAT, LENGTH)
            .external("w", "model.onnx_data", LENGTH)
            .node("Add", "sum", "x", "w")
            .node("Relu", "y", "sum")
            .output("y", TinyOnnx.FLOAT, LENGTH)
            .bytes();
    Files.write(model, bytes);
    writeWeights(1);
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(open, NativeCount.open());
  }

  @Test
  void weightsAreKeptBesideTheGraph() throws IOException {
    float[] plain = run(options().optimizedModelCache(folder.resolve("other")).build());
    assertArrayEquals(plain, run());
    List<Path> entries = entries();
    assertEquals(1, entries.size());
    assertEquals(
        List.of("model.onnx", "model.onnx.data", "origin.txt"),
        list(entries.get(0)).stream().map(file -> file.getFileName().toString()).toList());
    assertTrue(Files.size(entries.get(0).resolve("model.onnx.data")) >= LENGTH * Float.BYTES);
    FileTime written = Files.getLastModifiedTime(entries.get(0).resolve("model.onnx.data"));
    assertArrayEquals(plain, run());
    assertEquals(entries, entries());
    assertEquals(written, Files.getLastModifiedTime(entries.get(0).resolve("model.onnx.data")));
  }

  @Test
  void keptNetworkIsWhatRuns() throws IOException {
    run();
    writeFloats(entries().get(0).resolve("model.onnx.data"), 5);
    assertEquals(5, run()[0], "the kept weights are read");
  }

  @Test
  void changedWeightsReplaceTheKeptNetwork() throws IOException {
    run();
    List<Path> before = entries();
    writeWeights(2);
    assertEquals(2, run()[0]);
    assertEquals(1, entries().size());
    assertNotEquals(before, entries());
  }

  @Test
  void otherOptionsAreKeptApart() throws IOException {
    run();
    RuntimeOptions basic =
        options()
            .optimizedModelCache(cache)
            .optimization(RuntimeOptions.Optimization.BASIC)
            .build();
    run(basic);
    run(basic);
    assertEquals(2, entries().size());
  }

  @Test
  void folderThatOthersMayWriteIsNotUsed() throws IOException {
    Files.createDirectory(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertEquals(1, run()[0]);
    assertEquals(List.of(), list(cache));
  }

  @Test
  void networkThatOthersMayWriteIsMadeAgain() throws IOException {
    run();
    Path graph = entries().get(0).resolve("model.onnx");
    Files.setPosixFilePermissions(graph, PosixFilePermissions.fromString("rw-rw-rw-"));
    assertEquals(1, run()[0]);
    assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(graph)));
  }

  @Test
  void missingWeightsAreMadeAgain() throws IOException {
    run();
    Path weights = entries().get(0).resolve("model.onnx.data");
    Files.delete(weights);
    assertEquals(1, run()[0]);
    assertTrue(Files.exists(weights));
  }

  @Test
  void unfinishedFoldersOfLongAgoAreDeleted() throws IOException {
    Path old = Files.createDirectories(cache.resolve("unfinished-1"));
    Files.setLastModifiedTime(old, FileTime.fromMillis(0));
    Path young = Files.createDirectory(cache.resolve("unfinished-2"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwx------"));
    run();
    assertTrue(Files.notExists(old));
    assertTrue(Files.exists(young));
  }

  @Test
  void manyMayOpenAtOnce() throws Exception {
    var threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<float[]>> runs =
          IntStream.range(0, 16).mapToObj(i -> threads.submit(() -> run())).toList();
      for (Future<float[]> run : runs) {
        assertEquals(1, run.get()[0]);
      }
    } finally {
      threads.shutdown();
    }
    assertEquals(1, list(cache).size());
  }

  @Test
  void fingerprintSeesEveryBlockOfSmallFilesAndBothEndsOfLargeOnes() throws IOException {
    Path weights = model.resolveSibling("model.onnx_data");
    String first = ModelFingerprint.of(model, List.of());
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      file.seek(LENGTH * Float.BYTES - 1);
      file.write(9);
      assertNotEquals(first, ModelFingerprint.of(model, List.of()));
      file.setLength(10_000_001); // larger than what is read whole
      FileTime time = Files.getLastModifiedTime(weights);
      String large = ModelFingerprint.of(model, List.of());
      for (long at : new long[] {0, 10_000_000}) {
        file.seek(at);
        file.write(9);
        Files.setLastModifiedTime(weights, time);
        assertNotEquals(large, ModelFingerprint.of(model, List.of()), "byte " + at);
        large = ModelFingerprint.of(model, List.of());
      }
      assertEquals(large, ModelFingerprint.of(model, List.of()));
      Files.setLastModifiedTime(weights, FileTime.fromMillis(0));
      assertNotEquals(large, ModelFingerprint.of(model, List.of()), "time of the last change");
    }
    assertNotEquals(
        ModelFingerprint.of(model, List.of("a", "b")),
        ModelFingerprint.of(model, List.of("ab", "")));
  }

  private float[] run() throws IOException {
    return run(options().optimizedModelCache(cache).build());
  }

  private static RuntimeOptions.Builder options() {
    return RuntimeOptions.builder().provider(ExecutionProvider.cpu()).intraOpThreads(1);
  }

  private float[] run(RuntimeOptions options) throws IOException {
    try (OrtModel network = OrtRuntime.of(options).open("unet", model);
        OrtBinding binding = network.bind(new CancelToken())) {
      binding.input("x", LENGTH);
      return binding.fetch(Set.of("y")).get("y").values();
    }
  }

  private void writeWeights(float value) throws IOException {
    writeFloats(model.resolveSibling("model.onnx_data"), value);
  }

  private static void writeFloats(Path file, float value) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LENGTH * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat(value);
    }
    Files.write(file, bytes.array());
  }

  private List<Path> entries() throws IOException {
    return list(cache);
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
