package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedSafetensorsTest {

  @TempDir Path folder;

  @BeforeEach
  void shards() throws IOException {
    Files.createDirectory(folder.resolve("part"));
    shard("one.safetensors", "a", 1);
    shard("part/two.safetensors", "b", 2);
  }

  private void shard(String file, String tensor, float value) throws IOException {
    new SafetensorsWriter()
        .add(tensor, List.of(1L), new float[] {value})
        .write(folder.resolve(file));
  }

  private Path index(String weightMap) throws IOException {
    return Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"metadata\":{\"total_size\":8,\"x\":{\"y\":[1]}},\"more\":[{}],\"weight_map\":"
            + weightMap.replace('\'', '"')
            + "}");
  }

  @Test
  void readsFromTheFileThatTheIndexNames() throws IOException {
    Path index = index("{'b':'part/two.safetensors','a':'one.safetensors'}");
    TensorStore store = TensorStore.open(index);
    assertEquals(List.of("b", "a"), List.copyOf(store.names()));
    assertArrayEquals(new float[] {1}, store.floats("a"));
    assertArrayEquals(new float[] {2}, store.floats("b"));
    assertEquals("two.safetensors", store.info("b").file().getFileName().toString());
    assertEquals(4, store.buffer("a").remaining());
    assertEquals(Map.of("total_size", "8"), store.metadata());
    assertThrows(ModelFormatException.class, () -> store.info("c"));
    assertThrows(ModelFormatException.class, () -> store.longs("b"));
    store.close();
    assertThrows(IllegalStateException.class, () -> store.floats("a"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../one.safetensors",
        "part/../../one.safetensors",
        "part/../one.safetensors",
        "/etc/passwd",
        "..",
        "",
        "part\\\\two.safetensors"
      })
  void namesOutsideTheFolderAreRefused(String name) throws IOException {
    Path index = index("{'a':'" + name + "'}");
    Exception error = assertThrows(ModelFormatException.class, () -> TensorStore.open(index));
    assertTrue(error.getMessage().contains("not a plain path in its folder"), error.getMessage());
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path index = index("{'a':'three.safetensors'}");
    Exception error = assertThrows(ModelFormatException.class, () -> TensorStore.open(index));
    assertTrue(error.getMessage().contains("\"three.safetensors\", which is missing"));
    Path swapped = index("{'a':'part/two.safetensors'}");
    error = assertThrows(ModelFormatException.class, () -> TensorStore.open(swapped));
    assertTrue(error.getMessage().contains("has no tensor \"a\""), error.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"{'a':1}", "{'a':'x','a':'y'}", "[]", "{}", "{", "7"})
  void aBrokenIndexIsAClearError(String weightMap) throws IOException {
    Path index = index(weightMap);
    assertThrows(ModelFormatException.class, () -> TensorStore.open(index));
  }
}
