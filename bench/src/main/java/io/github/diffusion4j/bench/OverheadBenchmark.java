package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import io.github.diffusion4j.StepListener;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Pipeline and bare networks in turn in one JVM, so that whatever else the machine does meets both
 * alike: {@code pipeline/bare} is the figure, the score is the time of the two together. On a busy
 * machine {@code pipeline/bare.cpu} with {@code -p threads=1} says the same with less error.
 */
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 10, time = 2)
@State(Scope.Thread)
public class OverheadBenchmark extends Measured {

  private boolean bareFirst;

  /** For JMH. */
  public OverheadBenchmark() {}

  /**
   * One generation each way, the first one in turn.
   *
   * @param pipeline open pipeline
   * @param bare open networks
   * @param pair takes both times
   * @param blackhole keeps the results
   * @throws OrtException if ONNX Runtime fails
   */
  @Benchmark
  public void generations(
      PipelineState pipeline, BareState bare, PairMeter pair, Blackhole blackhole)
      throws OrtException {
    bareFirst = !bareFirst;
    if (bareFirst) {
      blackhole.consume(bare(bare, pair));
    }
    pair.begin();
    blackhole.consume(pipeline.paint(StepListener.NONE));
    pair.endPipeline();
    if (!bareFirst) {
      blackhole.consume(bare(bare, pair));
    }
  }

  private static float bare(BareState bare, PairMeter pair) throws OrtException {
    pair.begin();
    float value = bare.run();
    pair.endBare();
    return value;
  }
}
