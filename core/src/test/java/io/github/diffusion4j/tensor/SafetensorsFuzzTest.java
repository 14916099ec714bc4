package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutated files give valid tensors or a {@link ModelFormatException}, nothing else. */
class SafetensorsFuzzTest {

  @TempDir Path folder;

  private static final Path FILE = Path.of("fuzzed.safetensors");

  private static final String HEADER =
      """
      {"__metadata__":{"format":"pt"},\
      "a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "b.c":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},\
      "d":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}""";

  private static final List<String> PIECES =
      List.of(
          "-1",
          "0",
          "9223372036854775807",
          "18446744073709551615",
          "1e400",
          "null",
          "{",
          "}",
          "[",
          "]",
          "\"",
          "\\u0000",
          ",",
          ":",
          "F32",
          "F4",
          "F8_E4M3",
          "F8_E5M2",
          "U16",
          "BOOL",
          "\"a\"",
          "[0,0]",
          "4294967296",
          "\u00e4");

  private static final String INDEX =
      """
      {"metadata":{"total_size":8},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""";

  private static final List<String> INDEX_PIECES =
      List.of(
          "../",
          "/",
          "..",
          "\\\\",
          "\\u0000",
          ":",
          "~",
          ".",
          "one.safetensors",
          "\"b\"",
          "{}",
          "[]",
          "null",
          "1",
          "\"weight_map\":",
          "file:///",
          "C:",
          "\u00e4",
          "%2e%2e/",
          "");

  @Test
  void mutatedHeaders() {
    fuzz(5_000);
  }

  @Test
  @Tag("slow")
  void manyMutatedHeaders() {
    fuzz(100_000);
  }

  @Test
  void mutatedFiles() throws IOException {
    fuzzFiles(500);
  }

  @Test
  @Tag("slow")
  void manyMutatedFiles() throws IOException {
    fuzzFiles(20_000);
  }

  @Test
  void mutatedIndexes() throws IOException {
    new SafetensorsWriter()
        .add("a", List.of(1L), new float[] {1})
        .write(folder.resolve("one.safetensors"));
    new SafetensorsWriter()
        .add("b", List.of(1L), new float[] {2})
        .write(folder.resolve("two.safetensors"));
    Random random = random();
    Path index = folder.resolve("model.safetensors.index.json");
    for (int round = 0; round < 1_000; round++) {
      Files.write(index, mutate(INDEX, INDEX_PIECES, random));
      try (TensorStore store = TensorStore.open(index)) {
        for (String name : store.names()) {
          Path file = store.info(name).file();
          assertTrue(file.startsWith(folder.toAbsolutePath()), file::toString);
          assertEquals(1, store.floats(name).length);
        }
      } catch (ModelFormatException e) {
        assertTrue(e.getMessage().startsWith(folder.toString()), e::getMessage);
      } catch (IOException e) {
        assertTrue(e.getMessage().contains(folder.toString()), e::getMessage); // a folder's name
      } catch (RuntimeException | Error e) {
        throw new AssertionError("index " + Files.readString(index), e);
      }
    }
  }

  /** Header, length and data changed together, then everything read. */
  private void fuzzFiles(int rounds) throws IOException {
    Random random = random();
    Path file = folder.resolve("fuzzed.safetensors");
    byte[] data = new byte[40];
    int accepted = 0;
    for (int round = 0; round < rounds; round++) {
      byte[] header = mutate(HEADER, PIECES, random);
      long length = header.length + (random.nextInt(4) == 0 ? random.nextInt(9) - 4 : 0);
      length = random.nextInt(16) == 0 ? random.nextLong() >> random.nextInt(64) : length;
      ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + data.length);
      bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(header).put(data);
      int kept = random.nextInt(4) == 0 ? random.nextInt(bytes.capacity()) : bytes.capacity();
      Files.write(file, Arrays.copyOf(bytes.array(), kept));
      try (TensorStore store = TensorStore.open(file)) {
        readAll(store);
        accepted++;
      } catch (ModelFormatException e) {
        assertTrue(e.getMessage().startsWith(file.toString()), e::getMessage);
      } catch (IOException | RuntimeException | Error e) {
        throw new AssertionError("header " + new String(header, StandardCharsets.UTF_8), e);
      }
    }
    assertTrue(accepted > 0 && accepted < rounds, "accepted " + accepted);
  }

  /** Reads as numbers what can be read so; other types are named in the error. */
  private static void readAll(TensorStore store) {
    for (String name : store.names()) {
      TensorInfo info = store.info(name);
      assertEquals(info.length(), store.buffer(name).remaining());
      switch (info.type().kind()) {
        case FLOATING -> assertEquals(info.elements(), store.floats(name).length);
        case INTEGER -> assertEquals(info.elements(), store.longs(name).length);
        case OTHER -> {
          Exception error =
              assertThrows(ModelFormatException.class, () -> store.floats(name), info::toString);
          assertTrue(error.getMessage().contains(info.type().name()), error.getMessage());
        }
      }
    }
  }

  private static Random random() {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    return new Random(seed);
  }

  private static void fuzz(int rounds) {
    Random random = random();
    int accepted = 0;
    for (int round = 0; round < rounds; round++) {
      byte[] mutated = mutate(HEADER, PIECES, random);
      try {
        SafetensorsHeader header =
            SafetensorsHeader.parse(
                FILE, ByteBuffer.wrap(mutated), random.nextInt(4) == 0 ? 41 : 40);
        check(header, mutated.length);
        accepted++;
      } catch (ModelFormatException e) {
        assertTrue(e.getMessage().startsWith(FILE.toString()), e::getMessage);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("header " + new String(mutated, StandardCharsets.UTF_8), e);
      }
    }
    assertTrue(accepted > 0 && accepted < rounds, "accepted " + accepted);
  }

  private static void check(SafetensorsHeader header, int headerLength) {
    long total = 0;
    for (TensorInfo info : header.tensors().values()) {
      assertTrue(info.offset() == 8L + headerLength + total, info::toString);
      total += info.length();
    }
    assertTrue(total == 40 || total == 41, "tensors have " + total + " bytes");
  }

  private static byte[] mutate(String valid, List<String> pieces, Random random) {
    StringBuilder text = new StringBuilder(valid);
    for (int count = random.nextInt(3); count >= 0; count--) {
      int at = random.nextInt(text.length());
      int end = Math.min(text.length(), at + random.nextInt(6));
      switch (random.nextInt(5)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(128));
        case 1 -> text.delete(at, end);
        case 2 -> text.insert(at, pieces.get(random.nextInt(pieces.size())));
        case 3 -> text.replace(at, end, pieces.get(random.nextInt(pieces.size())));
        default -> text.insert(at, text.substring(random.nextInt(text.length())));
      }
    }
    byte[] bytes = text.append(' ').toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(8) == 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    return bytes;
  }
}
