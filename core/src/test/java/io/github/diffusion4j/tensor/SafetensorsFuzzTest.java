package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Mutated headers give a valid header or a {@link ModelFormatException}, nothing else. */
class SafetensorsFuzzTest {

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
          "BOOL",
          "\"a\"",
          "[0,0]",
          "4294967296",
          "\u00e4");

  @Test
  void mutatedHeaders() {
    fuzz(5_000);
  }

  @Test
  @Tag("slow")
  void manyMutatedHeaders() {
    fuzz(100_000);
  }

  private static void fuzz(int rounds) {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    Random random = new Random(seed);
    int accepted = 0;
    for (int round = 0; round < rounds; round++) {
      byte[] mutated = mutate(random);
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

  private static byte[] mutate(Random random) {
    StringBuilder text = new StringBuilder(HEADER);
    for (int count = random.nextInt(3); count >= 0; count--) {
      int at = random.nextInt(text.length());
      int end = Math.min(text.length(), at + random.nextInt(6));
      switch (random.nextInt(5)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(128));
        case 1 -> text.delete(at, end);
        case 2 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
        case 3 -> text.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
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
