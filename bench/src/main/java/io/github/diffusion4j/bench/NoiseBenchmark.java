package io.github.diffusion4j.bench;

import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.noise.NoiseSource;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Drawing the noise of one tensor. */
@State(Scope.Thread)
public class NoiseBenchmark extends Measured {

  private static final long SEED = 42;

  /** Which random number generator. */
  @Param public NoiseKind kind;

  /** Shape of the tensor. */
  @Param({"4x64x64", "16x128x128"})
  public String shape;

  private NoiseSource source;
  private float[] values;

  /** For JMH. */
  public NoiseBenchmark() {}

  /** Begins the stream. */
  @Setup
  public void begin() {
    source = kind.create(SEED);
    values = new float[Shapes.parse(shape).total()];
  }

  /**
   * One draw.
   *
   * @return standard normal values
   */
  @Benchmark
  public float[] draw() {
    source.fill(values);
    return values;
  }
}
