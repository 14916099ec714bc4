package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The C library's heap, in which ONNX Runtime keeps much of its weights. What is freed there goes
 * back to the system only in part: glibc keeps it for later. Thread-safe.
 */
final class NativeHeap {

  private static final System.Logger LOG = System.getLogger(NativeHeap.class.getName());

  /** Resident pages are the second number. */
  private static final Path PAGES = Path.of("/proc/self/statm");

  /** At the least; where pages are larger, a larger process is still left alone. */
  private static final long PAGE_BYTES = 4096;

  /** Below this there is little to gain, and asking takes a small program's time. */
  private static final long WORTHWHILE = 256L << 20;

  /** Growth that is worth a look, in a process of any size. */
  private static final long NOTICEABLE = 32L << 20;

  /** The part of the memory that was settled that may be added before the next trim. */
  private static final int GROWTH = 16;

  private final LongSupplier resident;
  private final Runnable trimming;

  /** Resident memory after the last trim, or found below that since. */
  private volatile long settled;

  NativeHeap() {
    this(NativeHeap::resident, NativeHeap::giveBack);
  }

  NativeHeap(LongSupplier resident, Runnable trimming) {
    this.resident = resident;
    this.trimming = trimming;
  }

  /**
   * As {@link #trim}, if the process has grown since the last time: networks give memory back in
   * blocks of other sizes as pictures change their size, between which glibc keeps more and more.
   */
  void trimIfGrown() {
    long now = resident.getAsLong();
    if (grown(settled, now)) {
      trim();
    } else if (now < settled) {
      settled = now;
    }
  }

  static boolean grown(long settled, long resident) {
    return resident - settled > Math.max(NOTICEABLE, settled / GROWTH);
  }

  /**
   * Gives freed memory back to the system, through the JVM's diagnostic command: on Linux with
   * glibc, where the JDK has that command (17 and later). Elsewhere, and in a process that is
   * small, nothing happens.
   */
  void trim() {
    if (resident.getAsLong() < WORTHWHILE) {
      return;
    }
    trimming.run();
    settled = resident.getAsLong();
  }

  private static void giveBack() {
    try {
      Object said =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "systemTrimNativeHeap",
                  new Object[0],
                  new String[0]);
      LOG.log(System.Logger.Level.DEBUG, "{0}", said);
    } catch (JMException | RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, "the native heap cannot be trimmed here: {0}", e);
    }
  }

  private static long resident() {
    try {
      return Long.parseLong(Files.readString(PAGES).split(" ")[1]) * PAGE_BYTES;
    } catch (IOException | RuntimeException e) {
      return 0; // not Linux
    }
  }
}
