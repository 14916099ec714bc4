package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
    parameters.tuning = Tuning.DEFAULT;
    parameters.steps = 4;
    parameters.images = images;
    parameters.size = 16;
    AtomicInteger evaluations = new AtomicInteger();
    parameters.open();
    StepMeter meter = new StepMeter();
    try {
      parameters.paint(event -> evaluations.incrementAndGet());
      assertEquals(evaluations.get(), parameters.work().timesteps().size());
      try (var networks = new BareNetworks(parameters.stages(), parameters.work())) {
        networks.run(meter);
      }
    } finally {
      parameters.close();
    }
    assertEquals(evaluations.get() - 1, meter.steps);
  }
}
