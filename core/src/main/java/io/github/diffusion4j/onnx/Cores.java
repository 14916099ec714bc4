package io.github.diffusion4j.onnx;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The processors that this process may use.
 *
 * @param logical hardware threads as the JVM counts them, affinity and quota included
 * @param physical cores with at least one hardware thread in the affinity set; empty if unknown
 * @param quota processors' worth of time that the cgroup allows; empty if unlimited or unknown
 */
record Cores(int logical, OptionalInt physical, OptionalDouble quota) {
  static Cores of(Machine machine, int availableProcessors) {
    if (!machine.platform().linux()) {
      return new Cores(availableProcessors, OptionalInt.empty(), OptionalDouble.empty());
    }
    return new Cores(availableProcessors, physical(machine), quota(machine));
  }

  static Cores current() {
    return of(Machine.current(), Runtime.getRuntime().availableProcessors());
  }

  /** Threads for one operator: one a physical core, never more than the limits allow. */
  int threads() {
    int threads = Math.min(logical, physical.orElse(logical));
    if (quota.isPresent()) {
      threads = Math.min(threads, (int) Math.ceil(quota.getAsDouble()));
    }
    return Math.max(1, threads);
  }

  private static OptionalInt physical(Machine machine) {
    Set<String> cores = new HashSet<>();
    for (int cpu : allowed(machine)) {
      String folder = "/sys/devices/system/cpu/cpu" + cpu + "/topology/";
      // Hardware threads of one core name the same set of siblings.
      machine
          .line(folder + "core_cpus_list")
          .or(() -> machine.line(folder + "thread_siblings_list"))
          .ifPresent(cores::add);
    }
    return cores.isEmpty() ? OptionalInt.empty() : OptionalInt.of(cores.size());
  }

  private static List<Integer> allowed(Machine machine) {
    for (String line : machine.lines("/proc/self/status")) {
      if (line.startsWith("Cpus_allowed_list:")) {
        return parseList(line.substring(line.indexOf(':') + 1));
      }
    }
    return machine.line("/sys/devices/system/cpu/online").map(Cores::parseList).orElse(List.of());
  }

  /** The kernel's lists: {@code 0-3,8,10-11}; what cannot be read is left out. */
  static List<Integer> parseList(String text) {
    List<Integer> cpus = new ArrayList<>();
    for (String part : text.strip().split(",")) {
      String range = part.strip();
      if (!range.matches("\\d{1,5}(-\\d{1,5})?")) {
        continue;
      }
      String[] ends = range.split("-");
      int last = Integer.parseInt(ends[ends.length - 1]);
      for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
        cpus.add(cpu);
      }
    }
    return cpus;
  }

  /** The tightest limit of the process's groups, of either version. */
  private static OptionalDouble quota(Machine machine) {
    double tightest = Double.POSITIVE_INFINITY;
    for (String line : machine.lines("/proc/self/cgroup")) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3 && fields[1].isEmpty()) {
        tightest = Math.min(tightest, walk(machine, "/sys/fs/cgroup", fields[2], true));
        tightest = Math.min(tightest, walk(machine, "/sys/fs/cgroup/unified", fields[2], true));
      } else if (fields.length == 3 && List.of(fields[1].split(",")).contains("cpu")) {
        tightest = Math.min(tightest, walk(machine, "/sys/fs/cgroup/cpu", fields[2], false));
        tightest =
            Math.min(tightest, walk(machine, "/sys/fs/cgroup/" + fields[1], fields[2], false));
      }
    }
    return Double.isInfinite(tightest) ? OptionalDouble.empty() : OptionalDouble.of(tightest);
  }

  /** From the process's group up to the root: every level's limit holds. */
  private static double walk(Machine machine, String mount, String group, boolean unified) {
    double tightest = Double.POSITIVE_INFINITY;
    String path = group;
    while (true) {
      String folder = mount + (path.equals("/") ? "" : path) + "/";
      tightest = Math.min(tightest, unified ? unified(machine, folder) : legacy(machine, folder));
      int slash = path.lastIndexOf('/');
      if (slash < 0 || path.equals("/")) {
        return tightest;
      }
      path = slash == 0 ? "/" : path.substring(0, slash);
    }
  }

  private static double unified(Machine machine, String folder) {
    String[] fields = machine.line(folder + "cpu.max").orElse("max").split(" ");
    return fields.length < 2 ? Double.POSITIVE_INFINITY : ratio(fields[0], fields[1]);
  }

  private static double legacy(Machine machine, String folder) {
    return ratio(
        machine.line(folder + "cpu.cfs_quota_us").orElse("-1"),
        machine.line(folder + "cpu.cfs_period_us").orElse("-1"));
  }

  private static double ratio(String quota, String period) {
    try {
      double time = Double.parseDouble(quota);
      double of = Double.parseDouble(period);
      return time > 0 && of > 0 ? time / of : Double.POSITIVE_INFINITY;
    } catch (NumberFormatException e) {
      return Double.POSITIVE_INFINITY; // "max"
    }
  }
}
