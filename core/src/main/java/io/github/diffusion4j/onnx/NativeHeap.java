package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The C library's heap, in which ONNX Runtime keeps much of its weights. What is freed there goes
 * back to the system only in part: glibc keeps it for later.
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

  /** Resident memory after the last trim, and the part of it that may be added before the next. */
  private static final AtomicLong SETTLED = new AtomicLong();

  private static final int GROWTH = 16;

  private NativeHeap() {}

  /**
   * As {@link #trim}, if the process has grown since the last time: networks give memory back in
   * blocks of other sizes as pictures change their size, between which glibc keeps more and more.
   */
  static void trimIfGrown() {
    if (grown(SETTLED.get(), resident())) {
      trim();
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
  static void trim() {
    if (resident() < WORTHWHILE) {
      return;
    }
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
    SETTLED.set(resident());
  }

  private static long resident() {
    try {
      return Long.parseLong(Files.readString(PAGES).split(" ")[1]) * PAGE_BYTES;
    } catch (IOException | RuntimeException e) {
      return 0; // not Linux
    }
  }
}
