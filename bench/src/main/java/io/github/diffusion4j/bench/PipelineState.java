package io.github.diffusion4j.bench;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.pipeline.GenerationResult;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** An open pipeline and what it is asked for. */
@State(Scope.Benchmark)
public class PipelineState extends ModelParameters {

  private StableDiffusionPipeline pipeline;
  private GenerationRequest request;

  /** For JMH. */
  public PipelineState() {}

  /**
   * Opens the model.
   *
   * @throws IOException if it cannot be read
   */
  @Setup
  public void open() throws IOException {
    pipeline = StableDiffusionPipeline.load(folder(), options());
    request = request();
  }

  /** Closes it. */
  @TearDown
  public void close() {
    pipeline.close();
  }

  /** The open networks. */
  Stages stages() {
    return pipeline.stages();
  }

  /** The request with nothing left open. */
  GenerationRequest resolved() {
    return request.resolve(pipeline.facts());
  }

  /** What a picture asks of the networks. */
  BareWork work() throws IOException {
    return BareWork.of(resolved(), pipeline.stages(), folder());
  }

  /** Paints. */
  GenerationResult paint(StepListener listener) {
    return pipeline.generate(request, listener);
  }
}
