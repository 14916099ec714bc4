package io.github.diffusion4j.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Times of two ways to do the same, taken in turn; {@link Quotients} divides them. */
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class PairMeter {

  /** Nanoseconds in the pipeline. */
  public long pipelineNanos;

  /** Nanoseconds in the bare loop. */
  public long bareNanos;

  /** Nothing counted yet. */
  public PairMeter() {}
}
