package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {

  @TempDir Path folder;

  @Test
  void bytesAreThoseOfTheReference() throws Exception {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add("step.0", List.of(1L, 2L), new float[] {1.5f, -2.25f})
            .add("übung", List.of(), new float[] {0.5f})
            .add("step.1", List.of(2L, 3L), new float[] {0, 0.25f, 0.5f, 0.75f, 1, 1.25f})
            .metadata("made by", "a \"test\"\n")
            .add("ids", List.of(1L, 3L), new long[] {49406, 320, -1});
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    writer.write(bytes);
    assertArrayEquals(
        Files.readAllBytes(SafetensorsFileTest.fixture("written.safetensors")),
        bytes.toByteArray());
  }

  @Test
  void writesWhatIsMadeOnTheWay() throws Exception {
    Path path = folder.resolve("made.safetensors");
    int[] next = {0};
    SafetensorsWriter.Source source =
        (bytes, count) -> {
          for (int i = 0; i < count; i++) {
            bytes.putShort(2 * i, (short) next[0]++);
          }
        };
    new SafetensorsWriter().add("made", TensorType.I16, List.of(3L, 10_000L), source).write(path);
    assertEquals(30_000, next[0]);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      byte[] all = Files.readAllBytes(path);
      int begin = (int) file.info("made").offset();
      assertEquals(29_999, (all[begin + 59_998] & 0xff) | (all[begin + 59_999] & 0xff) << 8);
    }
  }

  @Test
  void readsBackWhatItWrote() throws Exception {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    Random random = new Random(seed);
    float[] floats = new float[100_003];
    long[] longs = new long[20_001];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = Float.intBitsToFloat(random.nextInt());
    }
    for (int i = 0; i < longs.length; i++) {
      longs[i] = random.nextLong();
    }
    Path path = folder.resolve("latents.safetensors");
    new SafetensorsWriter()
        .add("floats", List.of(100_003L), floats)
        .add("longs", List.of(3L, 6667L), longs)
        .add("nothing", List.of(0L, 4L), new float[0])
        .metadata("seed", "42")
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertArrayEquals(floats, file.floats("floats"));
      assertArrayEquals(longs, file.longs("longs"));
      assertEquals(0, file.floats("nothing").length);
      assertEquals(0, file.info("longs").offset() % 8);
      assertEquals(Map.of("seed", "42"), file.metadata());
    }
    try (var files = Files.list(folder)) {
      assertEquals(List.of(path), files.toList());
    }
  }

  @Test
  void aFileWithoutTensorsIsValid() throws Exception {
    Path path = folder.resolve("empty.safetensors");
    new SafetensorsWriter().write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(0, file.names().size());
    }
  }

  @Test
  void rejectsWhatCannotBeWritten() {
    SafetensorsWriter writer = new SafetensorsWriter().add("a", List.of(1L), new float[1]);
    float[] two = new float[2];
    writer.metadata("k", "v");
    assertThrows(IllegalArgumentException.class, () -> writer.add("a", List.of(2L), two));
    assertThrows(IllegalArgumentException.class, () -> writer.add("b", List.of(3L), two));
    assertThrows(IllegalArgumentException.class, () -> writer.add("b", List.of(-1L, -2L), two));
    assertThrows(
        IllegalArgumentException.class, () -> writer.add("__metadata__", List.of(2L), two));
    assertThrows(IllegalArgumentException.class, () -> writer.metadata("k", "w"));
  }

  @Test
  void nothingIsLeftWhenTheFolderIsMissing() {
    Path path = folder.resolve("no/such/folder/a.safetensors");
    IOException error = assertThrows(IOException.class, () -> new SafetensorsWriter().write(path));
    assertTrue(error.getMessage().contains("there is no folder"), error.getMessage());
  }
}
