package io.github.diffusion4j.bench;

import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * All steps of one generation by one solver, no network and no guidance. The score is that of the
 * generation with its schedule; {@code step.time} and {@code step.alloc} are those of one step.
 */
@State(Scope.Thread)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class SchedulerStepBenchmark extends Measured {

  /** The parameter that {@link Main} fills with the names of {@link Schedulers#all()}. */
  static final String SCHEDULER = "scheduler";

  /** Noise that costs nothing: what the solver's own arithmetic takes. */
  static final String NO_NOISE = "none";

  private static final long SEED = 42;

  /** A class name of {@link Schedulers#all()}; with that class's defaults. */
  @Param({})
  public String scheduler;

  /** Latents of one image. */
  @Param({"4x64x64", "4x128x128", "16x128x128"})
  public String shape;

  /** Steps of a generation; a solver that does not take so many does as many as it takes. */
  @Param("20")
  public int steps;

  /** A label of {@link NoiseKind}, or {@value #NO_NOISE}. */
  @Param("torch-cpu")
  public String noise;

  private Scheduler recipe;
  private StepPlan plan;
  private LatentShape latents;
  private float[] sample;
  private float[] prediction;
  private float[] x;
  private float[] output;

  /** For JMH. */
  public SchedulerStepBenchmark() {}

  /** Draws the sample and the prediction. */
  @Setup
  public void draw() {
    recipe = Schedulers.all().get(scheduler);
    if (recipe == null) {
      throw new IllegalArgumentException(
          "scheduler must be one of " + Schedulers.all().keySet() + ", got " + scheduler);
    }
    latents = Shapes.parse(shape);
    sample = new float[latents.total()];
    prediction = new float[latents.total()];
    TorchNoise source = new TorchNoise(SEED);
    source.fill(sample);
    source.fill(prediction);
    x = new float[latents.total()];
    output = new float[latents.total()];
    plan = plan(steps);
  }

  private StepPlan plan(int count) {
    try {
      recipe.start(StepPlan.steps(count), latents.sample(), source());
      return StepPlan.steps(count);
    } catch (IllegalArgumentException e) {
      if (count == 1) {
        throw e;
      }
      return plan(count - 1);
    }
  }

  private NoiseSource source() {
    return noise.equals(NO_NOISE) ? dst -> {} : NoiseKind.of(noise).create(SEED);
  }

  /**
   * One generation's steps.
   *
   * @param meter measures the steps alone
   * @return the final sample
   */
  @Benchmark
  public float[] generation(StepMeter meter) {
    SchedulerRun run = recipe.start(plan, latents.sample(), source());
    System.arraycopy(sample, 0, x, 0, x.length);
    System.arraycopy(prediction, 0, output, 0, output.length);
    int evaluations = run.evaluations();
    meter.begin();
    for (int i = 0; i < evaluations; i++) {
      run.step(output, x);
    }
    meter.end(evaluations);
    return x;
  }
}
