package io.github.diffusion4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory of a process as Linux counts it.
 *
 * @param resident in memory now, in bytes
 * @param peak most that was in memory since the start, in bytes
 * @param files the part of resident that are pages of files, which the system can drop
 */
record ProcessMemory(long resident, long peak, long files) {

  private static final int UNIT = 1024;
  private static final double MIB = 1L << 20;

  /**
   * Reads the counts of this process.
   *
   * @throws IOException on a system without {@code /proc}
   */
  static ProcessMemory now() throws IOException {
    return of(Path.of("/proc/self/status"));
  }

  /**
   * Reads the counts of any process.
   *
   * @param status the kernel's file on it, such as {@code /proc/self/status}
   * @throws IOException if it is not there or has none
   */
  static ProcessMemory of(Path status) throws IOException {
    Map<String, Long> counts = new HashMap<>();
    for (String line : Files.readAllLines(status)) {
      String[] words = line.split("[:\\s]+");
      if (words.length == 3 && words[2].equals("kB")) {
        counts.put(words[0], Long.parseLong(words[1]) * UNIT);
      }
    }
    for (String name : new String[] {"VmRSS", "VmHWM", "RssFile"}) {
      if (!counts.containsKey(name)) {
        throw new IOException(status + " has no " + name + "; memory is read on Linux only");
      }
    }
    return new ProcessMemory(counts.get("VmRSS"), counts.get("VmHWM"), counts.get("RssFile"));
  }

  /** The peak in MiB. */
  double peakMebibytes() {
    return peak / MIB;
  }
}
