package io.github.diffusion4j.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loop with a denoiser that is no network: what it asks for, in which order, at what cost. */
class DenoiseLoopTest {

  private static final LatentShape SHAPE = new LatentShape(1, 4, 64, 64);
  private static final Scheduler DDIM = Schedulers.named("ddim");

  /** Answers with a constant and counts. */
  private static final class Constant implements Denoiser {
    final List<Double> timesteps = new ArrayList<>(64);

    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      timesteps.add(timestep);
      java.util.Arrays.fill(dst, 0.1f);
    }

    @Override
    public void close() {}
  }

  private static SchedulerRun start(int steps) {
    return DDIM.start(StepPlan.steps(steps), SHAPE.sample(), new TorchNoise(0));
  }

  @Test
  void evaluatesEveryTimestepOnceAndTellsTheListener() {
    Constant denoiser = new Constant();
    List<Integer> evaluations = new ArrayList<>();
    List<Double> timesteps = new ArrayList<>();
    StepListener listener =
        new StepListener() {
          @Override
          public void onStart(StepEvent event) {
            assertEquals(0, event.evaluation());
            assertTrue(Double.isNaN(event.timestep()));
            assertThrows(IllegalStateException.class, event::denoised);
          }

          @Override
          public void onStep(StepEvent event) {
            evaluations.add(event.evaluation());
            timesteps.add(event.timestep());
            assertEquals(5, event.evaluations());
            assertEquals(SHAPE.total(), event.latents().length);
            assertEquals(SHAPE.total(), event.denoised().length);
          }
        };
    float[] x = new float[SHAPE.total()];
    new DenoiseLoop(
            denoiser, new Guidance.None(), DenoiseLoop.Blend.NONE, new CancelToken(), listener)
        .run(start(5), x, SHAPE);
    assertEquals(List.of(1, 2, 3, 4, 5), evaluations);
    assertEquals(denoiser.timesteps, timesteps);
  }

  @Test
  void blendComesAfterTheStepAndBeforeTheListener() {
    List<String> order = new ArrayList<>();
    float[] x = new float[SHAPE.total()];
    new DenoiseLoop(
            new Constant(),
            new Guidance.None(),
            (run, latents) -> order.add("blend " + run.index()),
            new CancelToken(),
            event -> order.add("listen " + event.evaluation()))
        .run(start(2), x, SHAPE);
    assertEquals(List.of("blend 1", "listen 1", "blend 2", "listen 2"), order);
  }

  @Test
  void cancelledTokenStopsBeforeTheNextEvaluation() {
    Constant denoiser = new Constant();
    CancelToken cancel = new CancelToken();
    DenoiseLoop loop =
        new DenoiseLoop(
            denoiser,
            new Guidance.None(),
            DenoiseLoop.Blend.NONE,
            cancel,
            event -> cancel.cancel());
    assertThrows(
        GenerationCancelledException.class,
        () -> loop.run(start(5), new float[SHAPE.total()], SHAPE));
    assertEquals(1, denoiser.timesteps.size());
  }

  @Test
  void latentsOfAnotherLengthAreRefused() {
    DenoiseLoop loop =
        new DenoiseLoop(
            new Constant(),
            new Guidance.None(),
            DenoiseLoop.Blend.NONE,
            new CancelToken(),
            StepListener.NONE);
    assertThrows(IllegalArgumentException.class, () -> loop.run(start(5), new float[3], SHAPE));
  }

  @Test
  void oneBranchAndTwoEqualBranchesAgree() {
    float[] one = run(new Guidance.None());
    float[] two = run(new Guidance.ClassifierFree(7.5, 0));
    assertArrayEquals(one, two, 1e-5f);
  }

  private static float[] run(Guidance guidance) {
    float[] x = new float[SHAPE.total()];
    new TorchNoise(1).fill(x);
    new DenoiseLoop(
            new Constant(), guidance, DenoiseLoop.Blend.NONE, new CancelToken(), StepListener.NONE)
        .run(start(5), x, SHAPE);
    return x;
  }
}
