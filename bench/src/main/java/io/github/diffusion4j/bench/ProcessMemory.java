package io.github.diffusion4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory of this process as Linux counts it.
 *
 * @param resident in memory now, in bytes
 * @param peak most that was in memory since the start, in bytes
 * @param files the part of resident that are pages of files, which the system can drop
 */
record ProcessMemory(long resident, long peak, long files) {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int UNIT = 1024;

  /**
   * Reads the counts.
   *
   * @throws IOException on a system without {@code /proc}
   */
  static ProcessMemory now() throws IOException {
    Map<String, Long> counts = new HashMap<>();
    for (String line : Files.readAllLines(STATUS)) {
      String[] words = line.split("[:\\s]+");
      if (words.length == 3 && words[2].equals("kB")) {
        counts.put(words[0], Long.parseLong(words[1]) * UNIT);
      }
    }
    return new ProcessMemory(counts.get("VmRSS"), counts.get("VmHWM"), counts.get("RssFile"));
  }
}
