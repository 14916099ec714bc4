package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What this machine and this class path offer for computing models, for people who wonder why
 * something is slow or does not start. Holds no user names, environment or model data beyond the
 * paths shown. Immutable.
 *
 * @param host system, processors and memory
 * @param natives ONNX Runtime's libraries
 * @param nvidia the NVIDIA driver and cards
 * @param providers every provider, in the order of preference, the CPU first
 * @param automatic what {@link ExecutionProvider#auto()} comes to, and why
 */
public record RuntimeReport(
    Host host, Natives natives, Nvidia nvidia, List<Provider> providers, String automatic) {
  /** Checks and copies the list. */
  public RuntimeReport {
    requireNonNull(host, "host");
    requireNonNull(natives, "natives");
    requireNonNull(nvidia, "nvidia");
    providers = List.copyOf(providers);
    requireNonNull(automatic, "automatic");
  }

  /**
   * System, processors and memory.
   *
   * @param system operating system and version
   * @param processor processor kind, {@code x64} or {@code aarch64}
   * @param java Java version and virtual machine
   * @param processors the processors that this process may use
   * @param memory bytes
   */
  public record Host(
      String system, String processor, String java, Processors processors, Memory memory) {
    /** Checks the parts. */
    public Host {
      requireNonNull(system, "system");
      requireNonNull(processor, "processor");
      requireNonNull(java, "java");
      requireNonNull(processors, "processors");
      requireNonNull(memory, "memory");
    }
  }

  /**
   * The processors that this process may use.
   *
   * @param logical hardware threads, affinity and quota included
   * @param physical cores; empty if unknown
   * @param quota processors' worth of time that the cgroup allows; empty if not limited
   * @param threads threads that share one operator when left automatic
   */
  public record Processors(int logical, OptionalInt physical, OptionalDouble quota, int threads) {}

  /**
   * Memory in bytes.
   *
   * @param total of the machine or container
   * @param available of it for new work
   * @param heap most that the Java heap may take; models live outside it
   */
  public record Memory(long total, long available, long heap) {}

  /**
   * ONNX Runtime's libraries.
   *
   * @param version of the loaded library; empty if it does not load
   * @param artifact Maven artifact on the class path; empty if none fits this platform
   * @param folder where the libraries lie; empty if ONNX Runtime unpacks them itself
   * @param why one sentence on that place, or on why nothing loads
   * @param providers what this build was made with, under ONNX Runtime's names
   */
  public record Natives(
      Optional<String> version,
      Optional<String> artifact,
      Optional<Path> folder,
      String why,
      List<String> providers) {
    /** Checks and copies the list. */
    public Natives {
      requireNonNull(version, "version");
      requireNonNull(artifact, "artifact");
      requireNonNull(folder, "folder");
      requireNonNull(why, "why");
      providers = List.copyOf(providers);
    }
  }

  /**
   * The NVIDIA driver and cards.
   *
   * @param driver version; empty if there is none
   * @param cards names of the cards, where the driver tells
   */
  public record Nvidia(Optional<String> driver, List<String> cards) {
    /** Checks and copies the list. */
    public Nvidia {
      requireNonNull(driver, "driver");
      cards = List.copyOf(cards);
    }
  }

  /**
   * Whether a provider can be used.
   *
   * @param name as {@link ExecutionProvider#parse(String)} takes it
   * @param usable whether it passed its trial
   * @param why one sentence
   */
  public record Provider(String name, boolean usable, String why) {
    /** Checks the parts. */
    public Provider {
      requireNonNull(name, "name");
      requireNonNull(why, "why");
    }
  }

  /** The report as lines of plain text, each ended by a line feed. */
  public String toText() {
    StringBuilder text = new StringBuilder();
    line(text, "system", host.system() + ", " + host.processor());
    line(text, "java", host.java());
    line(text, "processors", processors());
    line(
        text,
        "memory",
        gigabytes(host.memory().available())
            + " available of "
            + gigabytes(host.memory().total())
            + ", Java heap at most "
            + gigabytes(host.memory().heap()));
    line(
        text,
        "runtime",
        natives.version().map(version -> "ONNX Runtime " + version).orElse("not loaded")
            + natives.artifact().map(artifact -> " (" + artifact + ")").orElse("")
            + (natives.providers().isEmpty() ? "" : ", built with " + natives.providers()));
    line(
        text,
        "natives",
        natives.folder().map(folder -> folder + " (" + natives.why() + ")").orElse(natives.why()));
    line(
        text,
        "nvidia",
        nvidia.driver().map(version -> "driver " + version).orElse("no driver")
            + (nvidia.cards().isEmpty() ? "" : ", " + String.join(", ", nvidia.cards())));
    for (Provider provider : providers) {
      line(text, provider.name(), (provider.usable() ? "yes: " : "no: ") + provider.why());
    }
    line(text, "auto", automatic);
    return text.toString();
  }

  private String processors() {
    Processors processors = host.processors();
    StringBuilder text = new StringBuilder().append(processors.logical()).append(" logical");
    processors.physical().ifPresent(cores -> text.append(", ").append(cores).append(" physical"));
    processors
        .quota()
        .ifPresent(quota -> text.append(String.format(Locale.ROOT, ", cgroup quota %.2f", quota)));
    return text.append(", threads for one operator: ").append(processors.threads()).toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "%-11s %s%n", name, value).replace("\r\n", "\n"));
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
