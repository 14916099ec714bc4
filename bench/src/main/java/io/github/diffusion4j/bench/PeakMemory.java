package io.github.diffusion4j.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Most memory that the process has had resident since it began, mapped files among it: what Linux
 * counts as {@code VmHWM}; elsewhere nothing. Only of benchmarks that run a model, as the rest's is
 * the Java heap.
 */
public final class PeakMemory implements InternalProfiler {

  /** Peak of the resident memory. */
  static final String LABEL = "peak.resident";

  private static final Path STATUS = Path.of("/proc/self/status");

  /** For JMH. */
  public PeakMemory() {}

  @Override
  public String getDescription() {
    return "Most resident memory of the process";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    // The kernel keeps the peak.
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    if (!benchmark.getParamsKeys().contains("provider")) {
      return List.of();
    }
    return mebibytes(STATUS)
        .map(peak -> new ScalarResult(LABEL, peak, "MiB", AggregationPolicy.MAX))
        .toList();
  }

  /** The peak in a status file of the kernel; none if it does not say. */
  static Stream<Double> mebibytes(Path status) {
    try {
      return Stream.of(ProcessMemory.of(status).peakMebibytes());
    } catch (IOException e) {
      return Stream.empty();
    }
  }
}
