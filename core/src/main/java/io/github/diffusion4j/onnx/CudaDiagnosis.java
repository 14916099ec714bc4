package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds, without loading anything, what keeps ONNX Runtime's CUDA or TensorRT provider from working
 * here: the cheapest question first, and the hundreds of megabytes of the provider library are not
 * unpacked before a driver was seen.
 *
 * @param machine the machine to look at
 * @param natives ONNX Runtime's libraries
 */
record CudaDiagnosis(Machine machine, ProviderFiles natives) {
  /** Where the provider libraries come from. */
  interface ProviderFiles {
    /** Whether this ONNX Runtime brings a library. */
    boolean has(String library);

    /** The file of a library, unpacked if need be; empty if it is not known where it will lie. */
    Optional<Path> library(String library) throws IOException;
  }

  /** Opened by name at run time, so the provider library does not list it. */
  private static final String CUDNN = "libcudnn.so.9";

  private static final String DRIVER = "libcuda.so.1";
  private static final Pattern DRIVER_VERSION = Pattern.compile("(\\d{3,4})\\.\\d+(\\.\\d+)?");

  /** Oldest Linux driver of each CUDA major version. */
  private static final Map<String, Integer> OLDEST_DRIVER = Map.of("12", 525, "13", 580);

  private static final List<String> WINDOWS_LIBRARIES =
      List.of(
          "cublasLt64_12.dll",
          "cublas64_12.dll",
          "cudart64_12.dll",
          "cufft64_11.dll",
          "cudnn64_9.dll");

  /**
   * What is wrong with CUDA.
   *
   * @param cudnn whether cuDNN is wanted too
   * @return one sentence; empty if nothing was found wrong
   */
  Optional<String> cuda(boolean cudnn) {
    return check(NativeArtifact.CUDA, cudnn ? Set.of(CUDNN) : Set.of());
  }

  /** What is wrong with TensorRT; empty if nothing was found wrong. */
  Optional<String> tensorRt() {
    return cuda(true).or(() -> check(NativeArtifact.TENSOR_RT, Set.of()));
  }

  private Optional<String> check(String library, Set<String> opened) {
    if (!natives.has(library)) {
      return Optional.of(
          "this ONNX Runtime was built without CUDA: depend on"
              + " com.microsoft.onnxruntime:onnxruntime_gpu in place of onnxruntime (Linux and"
              + " Windows on x64)");
    }
    Optional<String> hidden = hidden();
    if (hidden.isPresent()) {
      return hidden;
    }
    return machine.platform().windows() ? windows() : linux(library, opened);
  }

  private Optional<String> hidden() {
    return machine
        .variable("CUDA_VISIBLE_DEVICES")
        .filter(value -> value.isBlank() || value.strip().startsWith("-"))
        .map(value -> "CUDA_VISIBLE_DEVICES=\"" + value + "\" hides every NVIDIA device");
  }

  private Optional<String> linux(String library, Set<String> opened) {
    LibrarySearch search = new LibrarySearch(machine);
    Optional<String> driver = driver(search);
    if (driver.isPresent()) {
      return driver;
    }
    Optional<Path> file;
    try {
      file = natives.library(library);
      if (file.isEmpty()) {
        return Optional.empty(); // ONNX Runtime unpacks it itself: only a trial can tell
      }
      Set<String> missing =
          search.missing(file.get(), Set.of("libonnxruntime_providers_shared.so"));
      ElfFile elf = ElfFile.read(file.get());
      for (String name : opened) {
        if (search.find(name, file.get(), elf).isEmpty()) {
          missing.add(name);
        }
      }
      return missing.isEmpty()
          ? driverTooOld(elf, search, file.get())
          : Optional.of(sentence(missing, search));
    } catch (IOException e) {
      return Optional.of("its provider library cannot be used: " + NativeUnpacker.sentence(e));
    }
  }

  private Optional<String> driver(LibrarySearch search) {
    boolean device =
        machine.names(machine.file("/dev")).stream().anyMatch(name -> name.matches("nvidia\\d+"))
            || Files.exists(machine.file("/dev/dxg")); // Windows' Linux subsystem
    boolean library = driverLibrary(search).isPresent();
    if (device && library) {
      return Optional.empty();
    }
    if (!device && !library) {
      return Optional.of("no NVIDIA driver is here: no /dev/nvidia0 and no " + DRIVER);
    }
    return Optional.of(
        device
            ? "an NVIDIA device is here but not its driver's "
                + DRIVER
                + ": install the driver, or give the container its libraries"
            : "the NVIDIA driver's "
                + DRIVER
                + " is here but no device /dev/nvidia0:"
                + " start the container with its GPU, or load the kernel module");
  }

  private Optional<Path> driverLibrary(LibrarySearch search) {
    int processor = machine.platform().arch().equals("aarch64") ? 183 : 62;
    return search.find(DRIVER, machine.file("/none"), new ElfFile(processor, List.of(), List.of()));
  }

  private Optional<String> driverTooOld(ElfFile elf, LibrarySearch search, Path file) {
    Optional<Integer> driver =
        driverVersion(search).map(text -> Integer.parseInt(text.split("\\.")[0]));
    for (String name : elf.needed()) {
      Integer oldest = OLDEST_DRIVER.get(name.substring(name.lastIndexOf('.') + 1));
      if (name.startsWith("libcudart.so.")
          && oldest != null
          && driver.isPresent()
          && driver.get() < oldest) {
        return Optional.of(
            "the NVIDIA driver "
                + driverVersion(search).orElseThrow()
                + " is too old for CUDA "
                + name.substring("libcudart.so.".length())
                + ": "
                + file.getFileName()
                + " needs "
                + oldest
                + " or newer");
      }
    }
    return Optional.empty();
  }

  /** The driver's version from its library's real name, else from the kernel module. */
  Optional<String> driverVersion() {
    return driverVersion(new LibrarySearch(machine));
  }

  private Optional<String> driverVersion(LibrarySearch search) {
    Optional<String> ofLibrary =
        driverLibrary(search)
            .flatMap(
                path -> {
                  try {
                    return version(path.toRealPath().getFileName().toString());
                  } catch (IOException e) {
                    return Optional.empty();
                  }
                });
    return ofLibrary.or(
        () -> machine.line("/proc/driver/nvidia/version").flatMap(CudaDiagnosis::version));
  }

  private static Optional<String> version(String text) {
    Matcher matcher = DRIVER_VERSION.matcher(text);
    return matcher.find() ? Optional.of(matcher.group()) : Optional.empty();
  }

  private static String sentence(Set<String> missing, LibrarySearch search) {
    List<String> parts = new ArrayList<>();
    String problem = "missing libraries";
    Set<Path> folders = new LinkedHashSet<>();
    for (String name : missing) {
      Set<String> others = search.otherVersions(name);
      search.unsearchedFolder(name).ifPresent(folders::add);
      problem = others.isEmpty() ? problem : "wrong major version";
      parts.add(others.isEmpty() ? name : name + " (found " + String.join(", ", others) + ")");
    }
    String remedy =
        folders.isEmpty()
            ? "install " + product(missing) + ", or add their folder to LD_LIBRARY_PATH"
            : "add " + folders.iterator().next() + " to LD_LIBRARY_PATH";
    return problem + ": it needs " + String.join(", ", parts) + "; " + remedy;
  }

  private static String product(Set<String> missing) {
    Set<String> products = new LinkedHashSet<>();
    for (String name : missing) {
      String major = name.substring(name.lastIndexOf('.') + 1);
      if (name.startsWith("libcudnn")) {
        products.add("cuDNN " + major);
      } else if (name.startsWith("libnvinfer") || name.startsWith("libnvonnxparser")) {
        products.add("TensorRT " + major);
      } else if (name.startsWith("libcublas") || name.startsWith("libcudart")) {
        products.add("CUDA " + major);
      } else if (!name.startsWith("libcu")) {
        products.add(name);
      }
    }
    return products.isEmpty() ? "the CUDA toolkit" : String.join(" and ", products);
  }

  /** Windows has no such tables to read: presence on the path has to do. */
  private Optional<String> windows() {
    List<Path> folders = new ArrayList<>();
    for (String folder :
        machine.variable("PATH").or(() -> machine.variable("Path")).orElse("").split(";")) {
      if (!folder.isBlank()) {
        folders.add(Path.of(folder.strip()));
      }
    }
    machine.variable("SystemRoot").ifPresent(root -> folders.add(Path.of(root, "System32")));
    if (!onPath("nvcuda.dll", folders)) {
      return Optional.of("no NVIDIA driver is here: no nvcuda.dll");
    }
    List<String> missing =
        WINDOWS_LIBRARIES.stream().filter(name -> !onPath(name, folders)).toList();
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "missing libraries: it needs "
                + String.join(", ", missing)
                + "; install CUDA 12 and cuDNN 9 and add their bin folders to PATH");
  }

  private static boolean onPath(String name, List<Path> folders) {
    return folders.stream().anyMatch(folder -> Files.isRegularFile(folder.resolve(name)));
  }
}
