package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small ELF libraries that name what they need, for the loader's eyes only. */
final class ElfBytes {
  static final int X86_64 = 62;
  static final int AARCH64 = 183;

  private static final long ADDRESS = 0x10000;
  private static final int DYNAMIC_AT = 64 + 2 * 56;

  private ElfBytes() {}

  static byte[] library(int machine, List<String> needed, String runPath) {
    return library(machine, needed, 29, runPath, ByteOrder.LITTLE_ENDIAN);
  }

  static byte[] library(
      int machine, List<String> needed, int pathTag, String path, ByteOrder order) {
    StringBuilder names = new StringBuilder("\0");
    List<long[]> entries = new ArrayList<>();
    for (String name : needed) {
      entries.add(new long[] {1, names.length()});
      names.append(name).append('\0');
    }
    if (!path.isEmpty()) {
      entries.add(new long[] {pathTag, names.length()});
      names.append(path).append('\0');
    }
    int dynamicSize = (entries.size() + 2) * 16;
    int stringsAt = DYNAMIC_AT + dynamicSize;
    entries.add(new long[] {5, ADDRESS + stringsAt});
    entries.add(new long[] {0, 0});
    byte[] text = names.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(stringsAt + text.length).order(order);
    file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, (byte) (order == ByteOrder.BIG_ENDIAN ? 2 : 1)});
    file.putShort(16, (short) 3).putShort(18, (short) machine).putLong(32, 64);
    file.putShort(54, (short) 56).putShort(56, (short) 2);
    segment(file, 64, new long[] {1, 0, ADDRESS, file.capacity()});
    segment(file, 64 + 56, new long[] {2, DYNAMIC_AT, ADDRESS + DYNAMIC_AT, dynamicSize});
    file.position(DYNAMIC_AT);
    entries.forEach(entry -> file.putLong(entry[0]).putLong(entry[1]));
    return file.put(text).array();
  }

  private static void segment(ByteBuffer file, int at, long[] typeOffsetAddressSize) {
    file.putInt(at, (int) typeOffsetAddressSize[0]);
    file.putLong(at + 8, typeOffsetAddressSize[1]);
    file.putLong(at + 16, typeOffsetAddressSize[2]);
    file.putLong(at + 32, typeOffsetAddressSize[3]);
  }

  /** Writes an x86-64 library and the folders above it. */
  static Path write(Path file, String... needed) throws IOException {
    return write(file, library(X86_64, List.of(needed), ""));
  }

  static Path write(Path file, byte[] content) throws IOException {
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  /** A loader table ({@code /etc/ld.so.cache}) of name, path, name, path. */
  static byte[] loaderCache(String... namesAndPaths) {
    int count = namesAndPaths.length / 2;
    int stringsAt = 48 + count * 24;
    StringBuilder strings = new StringBuilder();
    ByteBuffer head = ByteBuffer.allocate(stringsAt).order(ByteOrder.nativeOrder());
    head.put("glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII)).putInt(count);
    for (int i = 0; i < count; i++) {
      head.putInt(48 + i * 24, 0x0303);
      for (int part = 0; part < 2; part++) {
        head.putInt(48 + i * 24 + 4 + 4 * part, stringsAt + strings.length());
        strings.append(namesAndPaths[2 * i + part]).append('\0');
      }
    }
    byte[] text = strings.toString().getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(stringsAt + text.length).put(head.array()).put(text).array();
  }
}
