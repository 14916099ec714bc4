package io.github.diffusion4j.bench;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.loop.DenoiseLoop;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The denoising loop with classifier-free guidance and a network that takes no time: what a step
 * costs outside the network.
 */
@State(Scope.Thread)
public class LoopBenchmark extends Measured {

  private static final long SEED = 42;
  private static final double GUIDANCE_SCALE = 7.5;

  /** A name that {@link Schedulers#named} knows. */
  @Param({"ddim", "euler"})
  public String solver;

  /** Latents of one image. */
  @Param("4x64x64")
  public String shape;

  /** Images painted together. */
  @Param("1")
  public int images;

  /** Steps of a generation. */
  @Param("50")
  public int steps;

  /** Guidance rescale, 0 for none. */
  @Param("0")
  public double rescale;

  private Scheduler scheduler;
  private LatentShape latents;
  private Guidance guidance;
  private float[] noise;
  private float[] prediction;

  /** For JMH. */
  public LoopBenchmark() {}

  /** Draws the noise and the prediction. */
  @Setup
  public void draw() {
    LatentShape one = Shapes.parse(shape);
    latents = new LatentShape(images, one.channels(), one.height(), one.width());
    scheduler = Schedulers.named(solver);
    guidance = Guidance.of(GUIDANCE_SCALE, rescale);
    noise = new float[latents.total()];
    prediction = new float[guidance.branches() * latents.total()];
    TorchNoise source = new TorchNoise(SEED);
    source.fill(noise);
    source.fill(prediction);
  }

  /**
   * One generation, from the schedule to the final latents.
   *
   * @param meter measures the steps
   * @return the final latents
   */
  @Benchmark
  public float[] generation(StepMeter meter) {
    TorchNoise source = new TorchNoise(SEED);
    SchedulerRun run = scheduler.start(StepPlan.steps(steps), latents.sample(), source);
    float[] x = noise.clone();
    new DenoiseLoop(
            new FixedDenoiser(prediction),
            guidance,
            DenoiseLoop.Blend.NONE,
            new CancelToken(),
            meter)
        .run(run, x, latents);
    return x;
  }
}
