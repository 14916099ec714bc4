package io.github.diffusion4j.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Times of two ways to do the same, taken in turn; {@link Quotients} divides them. The processor
 * times are this thread's: they hold all of the work where the networks run on one thread, and
 * leave out what else the machine did meanwhile.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class PairMeter {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** Nanoseconds in the pipeline. */
  public long pipelineNanos;

  /** Nanoseconds of processor time in the pipeline. */
  public long pipelineCpuNanos;

  /** Nanoseconds in the bare loop. */
  public long bareNanos;

  /** Nanoseconds of processor time in the bare loop. */
  public long bareCpuNanos;

  private long startNanos;
  private long startCpuNanos;

  /** Nothing counted yet. */
  public PairMeter() {}

  /** One of the two begins. */
  public void begin() {
    startCpuNanos = THREADS.getCurrentThreadCpuTime();
    startNanos = System.nanoTime();
  }

  /** That was the pipeline. */
  public void endPipeline() {
    pipelineNanos += System.nanoTime() - startNanos;
    pipelineCpuNanos += THREADS.getCurrentThreadCpuTime() - startCpuNanos;
  }

  /** That was the bare loop. */
  public void endBare() {
    bareNanos += System.nanoTime() - startNanos;
    bareCpuNanos += THREADS.getCurrentThreadCpuTime() - startCpuNanos;
  }
}
