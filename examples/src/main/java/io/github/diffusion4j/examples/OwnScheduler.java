package io.github.diffusion4j.examples;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A solver of one's own: {@link TurnRun} in place of the model's. Run it without arguments; expect
 * {@code turn.png} in the current folder, the picture that the model's own DDIM paints too.
 */
public final class OwnScheduler implements Scheduler {

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    if (plan instanceof StepPlan.Count count) {
      return new TurnRun(count.steps());
    }
    throw new IllegalArgumentException("this solver takes a number of steps, got " + plan);
  }

  /** Paints with the solver. */
  public static void main(String... args) throws IOException {
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      var request =
          GenerationRequest.prompt("a red apple on a light blue background")
              .scheduler(new OwnScheduler())
              .seed(42)
              .build();
      System.out.println(pipeline.generate(request).save(Path.of("turn.png")));
    }
  }
}
