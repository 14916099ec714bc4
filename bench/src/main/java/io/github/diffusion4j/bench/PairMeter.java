package io.github.diffusion4j.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Times of two ways to do the same, taken in turn; {@link Quotients} divides them. Processor times
 * leave out what else the machine did meanwhile. Those of this thread hold all of the work where
 * the networks run on one thread, and nothing of the JVM's own; those of the process hold every
 * thread.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class PairMeter {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /** Nanoseconds in the pipeline. */
  public long pipelineNanos;

  /** Nanoseconds of processor time in the pipeline. */
  public long pipelineCpuNanos;

  /** Nanoseconds of all threads' processor time in the pipeline. */
  public long pipelineProcessNanos;

  /** Nanoseconds in the bare loop. */
  public long bareNanos;

  /** Nanoseconds of processor time in the bare loop. */
  public long bareCpuNanos;

  /** Nanoseconds of all threads' processor time in the bare loop. */
  public long bareProcessNanos;

  private long startNanos;
  private long startCpuNanos;
  private long startProcessNanos;

  /** Nothing counted yet. */
  public PairMeter() {}

  /** One of the two begins. */
  public void begin() {
    startProcessNanos = SYSTEM.getProcessCpuTime();
    startCpuNanos = THREADS.getCurrentThreadCpuTime();
    startNanos = System.nanoTime();
  }

  /** That was the pipeline. */
  public void endPipeline() {
    pipelineNanos += System.nanoTime() - startNanos;
    pipelineCpuNanos += THREADS.getCurrentThreadCpuTime() - startCpuNanos;
    pipelineProcessNanos += SYSTEM.getProcessCpuTime() - startProcessNanos;
  }

  /** That was the bare loop. */
  public void endBare() {
    bareNanos += System.nanoTime() - startNanos;
    bareCpuNanos += THREADS.getCurrentThreadCpuTime() - startCpuNanos;
    bareProcessNanos += SYSTEM.getProcessCpuTime() - startProcessNanos;
  }
}
