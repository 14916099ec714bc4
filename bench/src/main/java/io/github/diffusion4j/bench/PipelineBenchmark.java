package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import io.github.diffusion4j.pipeline.GenerationResult;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From prompt to picture with a real model, and the same runs of its networks with nothing around
 * them.
 */
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
public class PipelineBenchmark extends Measured {

  /** For JMH. */
  public PipelineBenchmark() {}

  /**
   * The pipeline.
   *
   * @param state open pipeline
   * @param meter measures the steps
   * @return the picture
   */
  @Benchmark
  public GenerationResult pipeline(PipelineState state, StepMeter meter) {
    return state.paint(meter);
  }

  /**
   * ONNX Runtime alone.
   *
   * @param state open networks
   * @param meter measures the steps
   * @return a value of the picture
   * @throws OrtException if ONNX Runtime fails
   */
  @Benchmark
  public float bare(BareState state, StepMeter meter) throws OrtException {
    return state.run(meter);
  }
}
