package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * A picture by the pipeline, and after each of its parts (prompts, every step, decoding) the same
 * runs of the same sessions with nothing around them, so that whatever else the machine does meets
 * both alike: {@code pipeline/bare} is the figure, the score is the time of the two together. On a
 * busy machine {@code pipeline/bare.cpu} with {@code -p threads=1} says the same with less error.
 */
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 10, time = 2)
@State(Scope.Thread)
public class OverheadBenchmark extends Measured {

  /** For JMH. */
  public OverheadBenchmark() {}

  /**
   * One generation each way.
   *
   * @param pipeline open pipeline
   * @param bare its networks
   * @param pair takes both times
   * @param blackhole keeps the results
   * @throws OrtException if ONNX Runtime fails
   */
  @Benchmark
  public void generations(
      PipelineState pipeline, BareState bare, PairMeter pair, Blackhole blackhole)
      throws OrtException {
    BareNetworks networks = bare.networks();
    pair.begin();
    networks.encode();
    pair.endBare();
    pair.begin();
    blackhole.consume(pipeline.paint(event -> step(networks, event.evaluation() - 1, pair)));
    pair.endPipeline();
    pair.begin();
    blackhole.consume(networks.decode());
    pair.endBare();
  }

  /** What the pipeline has just done, and the networks' part of it alone. */
  private static void step(BareNetworks networks, int index, PairMeter pair) {
    pair.endPipeline();
    pair.begin();
    try {
      networks.step(index);
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
    pair.endBare();
    pair.begin();
  }
}
