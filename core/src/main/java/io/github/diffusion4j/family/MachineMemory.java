package io.github.diffusion4j.family;

import java.lang.management.ManagementFactory;

/** How much memory there is. */
public final class MachineMemory {

  /**
   * Bytes of this machine, or of the container that this process is in; the largest number where
   * the JVM does not tell. Asked for once: in a container the JVM reads several files for it.
   */
  public static final double BYTES =
      ManagementFactory.getOperatingSystemMXBean()
              instanceof com.sun.management.OperatingSystemMXBean system
          ? system.getTotalMemorySize()
          : Double.MAX_VALUE;

  private MachineMemory() {}
}
