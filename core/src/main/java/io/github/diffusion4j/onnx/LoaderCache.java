package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of {@code /etc/ld.so.cache} that tells glibc's loader where libraries lie. An
 * unreadable or broken file counts as empty, as it does for the loader.
 */
final class LoaderCache {
  private static final byte[] MAGIC = "glibc-ld.so.cache1.1".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 48;
  private static final int ENTRY = 24;
  private static final int MAX_SIZE = 64 << 20;

  private LoaderCache() {}

  /** Paths by library name, in the loader's order. */
  static Map<String, List<String>> read(Path path) {
    try {
      if (Files.size(path) > MAX_SIZE) {
        return Map.of();
      }
      return parse(Files.readAllBytes(path));
    } catch (IOException e) {
      return Map.of();
    }
  }

  static Map<String, List<String>> parse(byte[] file) {
    Map<String, List<String>> paths = new LinkedHashMap<>();
    int start = indexOfMagic(file);
    if (start < 0 || file.length - start < HEADER) {
      return paths;
    }
    ByteBuffer bytes =
        ByteBuffer.wrap(file, start, file.length - start).slice().order(ByteOrder.nativeOrder());
    int count = bytes.getInt(MAGIC.length);
    if (count < 0 || count > (bytes.limit() - HEADER) / ENTRY) {
      return paths;
    }
    for (int i = 0; i < count; i++) {
      String name = string(bytes, bytes.getInt(HEADER + i * ENTRY + 4));
      String path = string(bytes, bytes.getInt(HEADER + i * ENTRY + 8));
      if (!name.isEmpty() && path.startsWith("/")) {
        paths.computeIfAbsent(name, key -> new ArrayList<>()).add(path);
      }
    }
    return paths;
  }

  /** An older table of another form may come first. */
  private static int indexOfMagic(byte[] file) {
    for (int at = 0; at + MAGIC.length <= file.length; at++) {
      if (ByteBuffer.wrap(file, at, MAGIC.length).equals(ByteBuffer.wrap(MAGIC))) {
        return at;
      }
    }
    return -1;
  }

  private static String string(ByteBuffer bytes, int offset) {
    int end = offset;
    while (end >= 0 && end < bytes.limit() && bytes.get(end) != 0) {
      end++;
    }
    if (end < 0 || end >= bytes.limit()) {
      return "";
    }
    byte[] text = new byte[end - offset];
    bytes.get(offset, text);
    return new String(text, StandardCharsets.UTF_8);
  }
}
