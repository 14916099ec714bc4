package io.github.diffusion4j.examples;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.util.Timer;
import java.util.TimerTask;

/**
 * Follows a generation step by step and cancels it from another thread. Run it without arguments;
 * expect one line for each step of one second, then that it was cancelled.
 */
public final class ProgressAndCancel {

  private static final int MILLIS = 1000;

  private ProgressAndCancel() {}

  /** Paints with so many steps that the cancel comes first. */
  public static void main(String... args) throws IOException {
    CancelToken cancel = new CancelToken();
    Timer timer = new Timer("cancel", true);
    StepListener progress =
        event -> {
          System.out.printf(
              "step %d of %d, timestep %.0f%n",
              event.evaluation(), event.evaluations(), event.timestep());
          if (event.evaluation() == 1) {
            timer.schedule(cancelling(cancel), MILLIS);
          }
        };
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      var request = GenerationRequest.prompt("a rocket").steps(1000).seed(1).build();
      pipeline.generate(request, progress, cancel);
    } catch (GenerationCancelledException e) {
      System.out.println(e.getMessage());
    }
  }

  private static TimerTask cancelling(CancelToken cancel) {
    return new TimerTask() {
      @Override
      public void run() {
        cancel.cancel();
      }
    };
  }
}
