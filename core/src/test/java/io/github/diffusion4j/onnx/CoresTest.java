package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CoresTest {
  @TempDir Path root;

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text + "\n");
  }

  /** Four cores of two threads each, numbered as Intel does: 0 and 4 are one core. */
  private void eightThreads(String allowed) throws IOException {
    for (int cpu = 0; cpu < 8; cpu++) {
      write(
          "sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list",
          cpu % 4 + "," + (cpu % 4 + 4));
    }
    write("proc/self/status", "Name:\tjava\nCpus_allowed_list:\t" + allowed);
  }

  private Cores cores(int available) {
    return Cores.of(new Machine(root, Map.of(), new Platform("linux", "x64")), available);
  }

  @Test
  void countsCoresNotThreads() throws IOException {
    eightThreads("0-7");
    assertEquals(new Cores(8, OptionalInt.of(4), OptionalDouble.empty()), cores(8));
    assertEquals(4, cores(8).threads());
  }

  @Test
  void countsOnlyAllowedThreads() throws IOException {
    eightThreads("0,4-5");
    assertEquals(OptionalInt.of(2), cores(3).physical());
    assertEquals(2, cores(3).threads());
  }

  @Test
  void unifiedQuotaOfAnyLevelHolds() throws IOException {
    eightThreads("0-7");
    write("proc/self/cgroup", "0::/outer/inner");
    write("sys/fs/cgroup/outer/cpu.max", "150000 100000");
    write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000");
    assertEquals(OptionalDouble.of(1.5), cores(8).quota());
    assertEquals(2, cores(8).threads());
  }

  @Test
  void legacyQuotaHolds() throws IOException {
    eightThreads("0-7");
    write("proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/docker/abc");
    write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000");
    write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000");
    assertEquals(OptionalDouble.of(0.5), cores(8).quota());
    assertEquals(1, cores(8).threads());
  }

  @Test
  void containersSeeTheirGroupAsTheRoot() throws IOException {
    write("proc/self/cgroup", "0::/");
    write("sys/fs/cgroup/cpu.max", "300000 100000");
    assertEquals(3, cores(8).threads());
  }

  @Test
  void unlimitedAndUnreadableQuotasAreNone() throws IOException {
    write("proc/self/cgroup", "0::/a\n1:cpu:/\nnonsense\n2:cpu");
    write("sys/fs/cgroup/a/cpu.max", "what ever");
    write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
    write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    assertEquals(OptionalDouble.empty(), cores(2).quota());
  }

  @Test
  void elsewhereTheJvmCounts() {
    Machine mac = new Machine(root, Map.of(), new Platform("osx", "aarch64"));
    assertEquals(6, Cores.of(mac, 6).threads());
    assertEquals(OptionalInt.empty(), Cores.of(mac, 6).physical());
  }

  @Test
  void readsTheKernelsLists() {
    assertEquals(List.of(0, 1, 2, 8), Cores.parseList(" 0-2, 8,x,-3,9-"));
    assertEquals(List.of(), Cores.parseList(""));
  }

  @Test
  void thisMachineHasAtLeastOneThread() {
    Cores cores = Cores.current();
    assertTrue(cores.threads() >= 1 && cores.threads() <= cores.logical(), cores.toString());
  }
}
