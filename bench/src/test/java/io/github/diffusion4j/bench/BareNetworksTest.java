package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bare loop runs the networks as often as the pipeline does. */
class BareNetworksTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void runsTheDenoiserAsOftenAsThePipeline(int images) throws Exception {
    PipelineState parameters = new PipelineState();
    parameters.model = "tiny";
    parameters.provider = "cpu";
    parameters.steps = 4;
    parameters.images = images;
    parameters.size = 16;
    AtomicInteger evaluations = new AtomicInteger();
    BareWork work;
    try (var pipeline = StableDiffusionPipeline.load(parameters.folder(), parameters.options())) {
      StepListener counter = event -> evaluations.incrementAndGet();
      pipeline.generate(parameters.request(), counter);
      work =
          BareWork.of(
              parameters.request().resolve(pipeline.facts()),
              pipeline.stages(),
              parameters.folder());
    }
    assertEquals(evaluations.get(), work.timesteps().size());

    OrtRuntime.of(parameters.options());
    StepMeter meter = new StepMeter();
    try (var networks = new BareNetworks(parameters.folder(), parameters.options(), work)) {
      networks.run(meter);
    }
    assertEquals(evaluations.get() - 1, meter.steps);
  }
}
