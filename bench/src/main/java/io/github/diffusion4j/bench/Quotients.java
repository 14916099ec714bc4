package io.github.diffusion4j.bench;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/** Divides the counters of {@link StepMeter} and {@link PairMeter}, iteration by iteration. */
public final class Quotients implements InternalProfiler {

  /** Time of a step. */
  static final String STEP_TIME = "step.time";

  /** Processor time of a step, of the thread that steps. */
  static final String STEP_CPU = "step.cpu";

  /** Bytes allocated on the Java heap in a step. */
  static final String STEP_ALLOCATION = "step.alloc";

  /** Time of a picture by the pipeline over the time of the same runs of the networks alone. */
  static final String OVERHEAD = "pipeline/bare";

  /** The same of the calling thread's processor time: for networks that run on one thread. */
  static final String OVERHEAD_CPU = "pipeline/bare.cpu";

  /** The same of the processor time of all threads. */
  static final String OVERHEAD_PROCESS = "pipeline/bare.process";

  private static final List<Quotient> ALL =
      List.of(
          new Quotient(STEP_TIME, "stepNanos", "steps", "ns/step"),
          new Quotient(STEP_CPU, "stepCpuNanos", "steps", "ns/step"),
          new Quotient(STEP_ALLOCATION, "stepBytes", "steps", "B/step"),
          new Quotient(OVERHEAD, "pipelineNanos", "bareNanos", "ratio"),
          new Quotient(OVERHEAD_CPU, "pipelineCpuNanos", "bareCpuNanos", "ratio"),
          new Quotient(OVERHEAD_PROCESS, "pipelineProcessNanos", "bareProcessNanos", "ratio"));

  private record Quotient(String label, String dividend, String divisor, String unit) {

    boolean counted(Map<String, Double> counts) {
      return counts.getOrDefault(divisor, 0.0) > 0 && counts.containsKey(dividend);
    }

    ScalarResult of(Map<String, Double> counts) {
      double value = counts.get(dividend) / counts.get(divisor);
      return new ScalarResult(label, value, unit, AggregationPolicy.AVG);
    }
  }

  /** For JMH. */
  public Quotients() {}

  @Override
  public String getDescription() {
    return "Time and allocation of a step, and the pipeline's time over the bare loop's";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    // The counters begin at zero by themselves.
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    Map<String, Double> counts = new HashMap<>();
    for (String label : result.getSecondaryResults().keySet()) {
      counts.put(label, result.getSecondaryResults().get(label).getScore());
    }
    return ALL.stream().filter(q -> q.counted(counts)).map(q -> q.of(counts)).toList();
  }
}
