package io.github.diffusion4j.bench;

import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.openjdk.jmh.infra.BenchmarkParams;

/** What a figure was measured on. */
final class Machine {

  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  private Machine() {}

  /** One line: processor, system, JVM, ONNX Runtime and JMH. */
  static String describe(BenchmarkParams params) {
    return "%d x %s, %s %s; %s %s; %s; JMH %s; %d forks, %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            processor(),
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            params.getVmName(),
            params.getVmVersion(),
            runtime(),
            params.getJmhVersion(),
            params.getForks(),
            String.join(" ", params.getJvmArgs()));
  }

  private static String runtime() {
    return OrtRuntime.of(RuntimeOptions.builder().provider(ExecutionProvider.cpu()).build())
        .describe()
        .replaceFirst(",.*", "");
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(PROCESSORS)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
