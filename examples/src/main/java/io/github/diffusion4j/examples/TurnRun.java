package io.github.diffusion4j.examples;

import io.github.diffusion4j.scheduler.SchedulerRun;
import java.util.stream.IntStream;

/**
 * DDIM for a model that predicts velocity: data and noise are two axes, the sample lies at an angle
 * between them, and each step turns it towards the data. State of one generation, for one thread.
 */
final class TurnRun implements SchedulerRun {
  private static final int TRAIN_STEPS = 1000;
  private final int steps;
  private int index;
  private float[] clean;

  TurnRun(int steps) {
    this.steps = steps;
  }

  /** The timestep of an evaluation: evenly spaced back from the last training step. */
  private int timestepAt(int i) {
    return (int) Math.rint((double) TRAIN_STEPS * (steps - i) / steps) - 1;
  }

  /** The sample's angle from the data: its cosine squared is what training left of the data. */
  private double angleAt(int i) {
    double left =
        IntStream.rangeClosed(0, timestepAt(i))
            .mapToDouble(t -> 1 - (0.0001 + (0.02 - 0.0001) * t / (TRAIN_STEPS - 1)))
            .reduce(1, (a, b) -> a * b);
    return Math.acos(Math.sqrt(left));
  }

  @Override
  public void step(float[] velocity, float[] x) {
    double angle = angleAt(index);
    double turn = angle - angleAt(index + 1);
    clean = turned(x, velocity, angle);
    System.arraycopy(turned(x, velocity, turn), 0, x, 0, x.length);
    index++;
  }

  private static float[] turned(float[] x, float[] velocity, double angle) {
    float[] result = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = (float) (Math.cos(angle) * x[i] - Math.sin(angle) * velocity[i]);
    }
    return result;
  }

  @Override
  public void addNoise(float[] data, float[] noise, float[] dst) {
    double angle = angleAt(index);
    for (int i = 0; i < dst.length; i++) {
      dst[i] = (float) (Math.cos(angle) * data[i] + Math.sin(angle) * noise[i]);
    }
  }

  @Override
  public int evaluations() {
    return steps;
  }

  @Override
  public int index() {
    return index;
  }

  @Override
  public double timestep() {
    return timestepAt(index);
  }

  @Override
  public double[] timesteps() {
    return IntStream.range(0, steps).mapToDouble(this::timestepAt).toArray();
  }

  @Override
  public double[] sigmas() {
    return new double[0];
  }

  @Override
  public double initNoiseSigma() {
    return 1;
  }

  @Override
  public void scaleInput(float[] x, float[] dst) {
    System.arraycopy(x, 0, dst, 0, x.length);
  }

  @Override
  public void denoised(float[] dst) {
    System.arraycopy(clean, 0, dst, 0, dst.length);
  }
}
