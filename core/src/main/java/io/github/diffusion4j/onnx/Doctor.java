package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtProvider;
import com.sun.management.OperatingSystemMXBean;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeReport;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Looks at the machine and the class path and says what can compute models. */
public final class Doctor {
  private static final List<String> PROVIDERS =
      List.of("cpu", "cuda", "tensorrt", "coreml", "directml", "openvino", "webgpu");

  private Doctor() {}

  /**
   * Examines this machine. Loads ONNX Runtime if it loads at all, and tries every provider that may
   * work, which can take seconds on a machine with a GPU. Never throws for what it finds.
   */
  public static RuntimeReport examine() {
    Machine machine = Machine.current();
    RuntimeReport.Natives natives = natives();
    boolean loads = natives.version().isPresent();
    List<RuntimeReport.Provider> providers =
        PROVIDERS.stream()
            .map(
                name ->
                    loads ? provider(name) : new RuntimeReport.Provider(name, false, "not loaded"))
            .toList();
    return new RuntimeReport(
        host(machine), natives, nvidia(machine), providers, automatic(providers));
  }

  private static String automatic(List<RuntimeReport.Provider> providers) {
    RuntimeReport.Provider cuda = providers.get(PROVIDERS.indexOf("cuda"));
    return (cuda.usable() ? "cuda, it " : "cpu, no CUDA: ") + cuda.why();
  }

  private static RuntimeReport.Provider provider(String name) {
    ProviderDiagnosis diagnosis = Providers.diagnose(ExecutionProvider.parse(name));
    return new RuntimeReport.Provider(name, diagnosis.usable(), diagnosis.why());
  }

  private static RuntimeReport.Natives natives() {
    NativeLibraries libraries = NativeLibraries.current();
    Optional<String> artifact = libraries.artifact().map(NativeArtifact::artifactId);
    Optional<Path> folder = libraries.location().folder();
    try {
      String version = OrtEnvironment.getEnvironment().getVersion();
      List<String> providers =
          OrtEnvironment.getAvailableProviders().stream().map(OrtProvider::getName).toList();
      return new RuntimeReport.Natives(
          Optional.of(version), artifact, folder, libraries.location().why(), providers);
    } catch (RuntimeException | LinkageError e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return new RuntimeReport.Natives(
          Optional.empty(), artifact, folder, "ONNX Runtime does not load: " + cause, List.of());
    }
  }

  private static RuntimeReport.Nvidia nvidia(Machine machine) {
    Path cards = machine.file("/proc/driver/nvidia/gpus");
    List<String> names =
        machine.names(cards).stream()
            .flatMap(
                card -> machine.lines("/proc/driver/nvidia/gpus/" + card + "/information").stream())
            .filter(line -> line.startsWith("Model:"))
            .map(line -> line.substring("Model:".length()).strip())
            .toList();
    Optional<String> driver =
        machine.platform().linux()
            ? new CudaDiagnosis(machine, NativeLibraries.current()).driverVersion()
            : Optional.empty();
    return new RuntimeReport.Nvidia(driver, names);
  }

  private static RuntimeReport.Host host(Machine machine) {
    Cores cores = Cores.current();
    return new RuntimeReport.Host(
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        machine.platform().arch(),
        System.getProperty("java.version") + ", " + System.getProperty("java.vm.name"),
        new RuntimeReport.Processors(
            cores.logical(), cores.physical(), cores.quota(), cores.threads()),
        memory(machine));
  }

  private static RuntimeReport.Memory memory(Machine machine) {
    long heap = Runtime.getRuntime().maxMemory();
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
      long total = system.getTotalMemorySize();
      long free = system.getFreeMemorySize();
      return new RuntimeReport.Memory(
          total, Math.min(total, Math.max(free, available(machine))), heap);
    }
    return new RuntimeReport.Memory(heap, Runtime.getRuntime().freeMemory(), heap);
  }

  /** What the kernel could give without swapping, the file cache included; 0 if it does not say. */
  private static long available(Machine machine) {
    for (String line : machine.lines("/proc/meminfo")) {
      if (line.matches("MemAvailable:\\s+\\d+ kB")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    return 0;
  }
}
