package io.github.diffusion4j.bench;

import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceRun;
import io.github.diffusion4j.GuidanceTiming;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.noise.TorchNoise;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Making one prediction of the branches' predictions. */
@State(Scope.Thread)
public class GuidanceBenchmark extends Measured {

  private static final long SEED = 42;

  /** Of one generation, after which the next begins. */
  private static final int EVALUATIONS = 10_000;

  private static final double SCALE = 7.5;

  /** Latents of one image. */
  @Param({"4x64x64", "4x128x128", "16x128x128"})
  public String shape;

  /** Images painted together. */
  @Param("1")
  public int images;

  /** Guidance rescale, 0 for none. */
  @Param({"0", "0.7"})
  public double rescale;

  /** What {@link GuidanceMethod#of} reads, without zero steps, which would cost nothing. */
  @Param("standard")
  public String method;

  private Guidance guidance;
  private GuidanceRun run;
  private int left;
  private LatentShape latents;
  private float[] outputs;
  private float[] combined;

  /** For JMH. */
  public GuidanceBenchmark() {}

  /** Draws the branches' predictions. */
  @Setup
  public void draw() {
    LatentShape one = Shapes.parse(shape);
    latents = new LatentShape(images, one.channels(), one.height(), one.width());
    guidance =
        new Guidance.ClassifierFree(
            SCALE, rescale, GuidanceMethod.of(method), GuidanceTiming.CONSTANT);
    outputs = new float[guidance.branches() * latents.total()];
    new TorchNoise(SEED).fill(outputs);
    combined = new float[latents.total()];
  }

  /**
   * Classifier-free guidance of one step.
   *
   * @return the prediction
   */
  @Benchmark
  public float[] combine() {
    if (left-- == 0) {
      run = guidance.start(EVALUATIONS, latents);
      left = EVALUATIONS - 1;
    }
    run.combine(outputs, combined);
    return combined;
  }
}
