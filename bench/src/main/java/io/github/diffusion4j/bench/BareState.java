package io.github.diffusion4j.bench;

import ai.onnxruntime.OrtException;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The same model's networks without the pipeline. */
@State(Scope.Benchmark)
public class BareState extends ModelParameters {

  private BareNetworks networks;

  /** For JMH. */
  public BareState() {}

  /**
   * Opens the networks and fills their inputs.
   *
   * @throws IOException if the model cannot be read
   * @throws OrtException if ONNX Runtime refuses it
   */
  @Setup
  public void open() throws IOException, OrtException {
    OrtRuntime.of(options()); // finds the native libraries, and refuses a provider that fails
    BareWork work;
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(folder(), options())) {
      GenerationRequest request = request().resolve(pipeline.facts());
      work = BareWork.of(request, pipeline.stages(), folder());
    }
    networks = new BareNetworks(folder(), options(), work);
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

  /** The same, the steps not measured for themselves. */
  float run() throws OrtException {
    return networks.run(new StepMeter());
  }
}
