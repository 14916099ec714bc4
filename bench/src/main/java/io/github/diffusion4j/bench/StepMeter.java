package io.github.diffusion4j.bench;

import com.sun.management.ThreadMXBean;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.lang.management.ManagementFactory;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Counts time and allocation of the steps alone, without what a generation does before and after
 * them. As a listener it measures from the end of the first step to the end of the last one. {@link
 * Quotients} divides the counts.
 */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class StepMeter implements StepListener {

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Steps measured. */
  public long steps;

  /** Nanoseconds that they took. */
  public long stepNanos;

  /** Nanoseconds that this thread had a processor in them; other threads' work is not in it. */
  public long stepCpuNanos;

  /** Bytes that this thread allocated on the Java heap in them. */
  public long stepBytes;

  private long startNanos;
  private long startCpuNanos;
  private long startBytes;

  /** Nothing counted yet. */
  public StepMeter() {}

  /** Steps begin. */
  public void begin() {
    startBytes = THREADS.getCurrentThreadAllocatedBytes();
    startCpuNanos = THREADS.getCurrentThreadCpuTime();
    startNanos = System.nanoTime();
  }

  /**
   * Steps have ended.
   *
   * @param count how many
   */
  public void end(int count) {
    stepNanos += System.nanoTime() - startNanos;
    stepCpuNanos += THREADS.getCurrentThreadCpuTime() - startCpuNanos;
    stepBytes += THREADS.getCurrentThreadAllocatedBytes() - startBytes;
    steps += count;
  }

  @Override
  public void onStep(StepEvent event) {
    if (event.evaluation() == 1) {
      begin();
    } else if (event.evaluation() == event.evaluations()) {
      end(event.evaluations() - 1);
    }
  }
}
