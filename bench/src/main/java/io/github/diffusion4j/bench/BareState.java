package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The networks of an open pipeline, without the pipeline. */
@State(Scope.Benchmark)
public class BareState {

  private BareNetworks networks;

  /** For JMH. */
  public BareState() {}

  /**
   * Fills the networks' inputs.
   *
   * @param pipeline has them open
   * @throws IOException if the model's tokenizer cannot be read
   * @throws OrtException if ONNX Runtime fails
   */
  @Setup
  public void open(PipelineState pipeline) throws IOException, OrtException {
    networks = new BareNetworks(pipeline.stages(), pipeline.work());
  }

  /**
   * Closes them.
   *
   * @throws OrtException if ONNX Runtime fails
   */
  @TearDown
  public void close() throws OrtException {
    networks.close();
  }

  /** Runs the networks as one generation does. */
  float run(StepMeter meter) throws OrtException {
    return networks.run(meter);
  }

  /** The networks' runs one by one. */
  BareNetworks networks() {
    return networks;
  }
}
