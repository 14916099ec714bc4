package io.github.diffusion4j.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Processor time of an operation: that of the whole process, compilation, garbage collection and
 * threads that spin included. Unlike the score it does not count the time in which other processes
 * had the processors.
 */
public final class ProcessorTime implements InternalProfiler {

  /** Processor time of an operation. */
  static final String LABEL = "cpu.norm";

  private static final double NANOS_PER_MICRO = 1e3;

  private final OperatingSystemMXBean system =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private long before;

  /** For JMH. */
  public ProcessorTime() {}

  @Override
  public String getDescription() {
    return "Processor time of the process, for each operation";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    before = system.getProcessCpuTime();
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    double spent = (system.getProcessCpuTime() - before) / NANOS_PER_MICRO;
    double operations = Math.max(1, result.getMetadata().getAllOps());
    return List.of(new ScalarResult(LABEL, spent / operations, "us/op", AggregationPolicy.AVG));
  }
}
