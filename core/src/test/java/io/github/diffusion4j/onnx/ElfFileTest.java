package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ElfFileTest {
  private static final List<String> NEEDED = List.of("libcublas.so.12", "libc.so.6");

  @TempDir Path folder;

  @Test
  void readsNeededLibrariesAndSearchPath() throws IOException {
    byte[] bytes = ElfBytes.library(ElfBytes.AARCH64, NEEDED, "$ORIGIN:/opt/cuda/lib64");
    assertEquals(
        new ElfFile(ElfBytes.AARCH64, NEEDED, List.of("$ORIGIN", "/opt/cuda/lib64")), read(bytes));
  }

  @Test
  void readsTheOlderPathAndBigEndianFiles() throws IOException {
    byte[] bytes = ElfBytes.library(22, NEEDED, 15, "/old", ByteOrder.BIG_ENDIAN);
    assertEquals(new ElfFile(22, NEEDED, List.of("/old")), read(bytes));
  }

  @Test
  void readsWhatTheSystemsLinkerWrote() throws IOException {
    Path library = Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    if (Files.exists(library)) { // on Linux
      List<String> needed = ElfFile.read(library).needed();
      assertTrue(needed.contains("libjvm.so") && needed.contains("libc.so.6"), needed.toString());
    }
  }

  static List<Arguments> damages() {
    return List.of(
        damage("not ELF", file -> file.put(1, (byte) 'X')),
        damage("32 bits", file -> file.put(4, (byte) 1)),
        damage("headers beyond the end", file -> file.putLong(32, 1L << 40)),
        damage("headers before the start", file -> file.putLong(32, -8)),
        damage("headers that overflow", file -> file.putLong(32, Long.MAX_VALUE)),
        damage("small headers", file -> file.putShort(54, (short) 8)),
        damage("too many headers", file -> file.putShort(56, (short) -1)),
        damage("dynamic section beyond the end", file -> file.putLong(64 + 56 + 8, 1L << 33)),
        damage("huge dynamic section", file -> file.putLong(64 + 56 + 32, 1L << 50)),
        damage("negative dynamic section", file -> file.putLong(64 + 56 + 32, -16)),
        damage("strings in no segment", file -> file.putLong(64 + 16, 1L << 60)),
        damage("strings beyond the end", file -> file.putLong(64 + 8, Long.MAX_VALUE - 100)),
        damage("name beyond the end", file -> file.putLong(64 + 2 * 56 + 8, 1L << 45)),
        damage("negative name", file -> file.putLong(64 + 2 * 56 + 8, Long.MIN_VALUE)),
        damage("endless name", file -> file.put(file.limit() - 1, (byte) 'x')));
  }

  private static Arguments damage(String name, Consumer<ByteBuffer> change) {
    return Arguments.of(name, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void damagedFileIsAnErrorThatNamesIt(String name, Consumer<ByteBuffer> change) {
    byte[] bytes = ElfBytes.library(ElfBytes.X86_64, NEEDED, "");
    change.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    String message = assertThrows(IOException.class, () -> read(bytes)).getMessage();
    assertTrue(message.contains("library.so is not a sound ELF library: "), message);
  }

  @Test
  void everyCutIsAnErrorOrReadable() {
    byte[] whole = ElfBytes.library(ElfBytes.X86_64, NEEDED, "$ORIGIN");
    int refused = 0;
    for (int length = 0; length < whole.length; length++) {
      refused += survives(Arrays.copyOf(whole, length)) ? 0 : 1;
    }
    assertEquals(whole.length, refused);
  }

  @Test
  void randomDamageNeverThrowsAnythingElse() {
    long seed = 20261122;
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Boolean> read = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = ElfBytes.library(ElfBytes.X86_64, NEEDED, "$ORIGIN");
      for (int n = random.nextInt(8); n >= 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      read.add(survives(bytes));
    }
    assertTrue(read.contains(true) && read.contains(false));
  }

  private boolean survives(byte[] bytes) {
    try {
      read(bytes);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private ElfFile read(byte[] bytes) throws IOException {
    return ElfFile.read(Files.write(folder.resolve("library.so"), bytes));
  }
}
