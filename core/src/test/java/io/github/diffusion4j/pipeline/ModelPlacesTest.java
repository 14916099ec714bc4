package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same model in a jar, and with optimized networks kept, paints the same. */
class ModelPlacesTest {

  private static final RuntimeOptions ONE_THREAD =
      RuntimeOptions.builder().intraOpThreads(1).build();

  @TempDir Path folder;

  private static float[] paint(Path model, RuntimeOptions options) throws IOException {
    Recording recording = new Recording();
    try (var pipeline = StableDiffusionPipeline.load(model, options)) {
      pipeline.generate(
          GenerationRequest.prompt("a cat").steps(2).size(64, 64).seed(1).build(), recording);
    }
    return recording.image;
  }

  @Test
  void modelInsideAJar() throws IOException {
    Path jar = folder.resolve("model.jar");
    try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of("create", "true"));
        Stream<Path> files = Files.walk(ModelCopy.original())) {
      for (Path file : files.toList()) {
        Path to = zip.getPath("/models/tiny", ModelCopy.original().relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(to);
        } else {
          Files.copy(file, to);
        }
      }
    }
    try (FileSystem zip = FileSystems.newFileSystem(jar)) {
      assertArrayEquals(
          paint(ModelCopy.original(), ONE_THREAD),
          paint(zip.getPath("/models/tiny"), ONE_THREAD),
          0f);
    }
  }

  @Test
  void optimizedModelsAreKeptAndUsedAgain() throws IOException {
    int before = NativeCount.open();
    Path cache = folder.resolve("cache");
    RuntimeOptions options = ONE_THREAD.toBuilder().optimizedModelCache(cache).build();
    float[] plain = paint(ModelCopy.original(), ONE_THREAD);
    assertArrayEquals(plain, paint(ModelCopy.original(), options), 1e-5f);
    List<Path> kept = files(cache);
    assertEquals(3, kept.size(), "one folder for each network that painted: " + kept);
    assertArrayEquals(plain, paint(ModelCopy.original(), options), 1e-5f);
    assertEquals(kept, files(cache), "the second load makes nothing new");
    assertEquals(before, NativeCount.open());
  }

  @Test
  void brokenKeptModelIsMadeAgain() throws IOException {
    Path cache = folder.resolve("cache");
    RuntimeOptions options = ONE_THREAD.toBuilder().optimizedModelCache(cache).build();
    float[] plain = paint(ModelCopy.original(), options);
    for (Path entry : files(cache)) {
      Files.write(entry.resolve("model.onnx"), new byte[100]);
    }
    assertArrayEquals(plain, paint(ModelCopy.original(), options), 1e-5f);
    for (Path entry : files(cache)) {
      assertFalse(Files.size(entry.resolve("model.onnx")) == 100, entry + " was made again");
    }
  }

  @Test
  void cacheThatCannotBeWrittenIsNotNeeded() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "not a folder");
    RuntimeOptions options =
        ONE_THREAD.toBuilder().optimizedModelCache(file.resolve("cache")).build();
    assertArrayEquals(
        paint(ModelCopy.original(), ONE_THREAD), paint(ModelCopy.original(), options), 1e-5f);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
