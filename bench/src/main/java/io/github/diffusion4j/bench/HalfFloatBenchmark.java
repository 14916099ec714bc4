package io.github.diffusion4j.bench;

import ai.onnxruntime.platform.Fp16Conversions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a step with a 16-bit network adds: one tensor's values to binary16 and back. */
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Thread)
public class HalfFloatBenchmark extends Measured {

  /** Latents of one branch. */
  @Param({"4x64x64", "4x128x128"})
  public String shape;

  private float[] values;
  private ShortBuffer halves;

  /** For JMH. */
  public HalfFloatBenchmark() {}

  /** Makes the values. */
  @Setup
  public void fill() {
    values = new float[Shapes.parse(shape).total()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i % 2001 - 1000) / 250f;
    }
    halves =
        ByteBuffer.allocateDirect(2 * values.length).order(ByteOrder.nativeOrder()).asShortBuffer();
  }

  /**
   * To binary16.
   *
   * @return the buffer
   */
  @Benchmark
  public ShortBuffer toHalves() {
    for (int i = 0; i < values.length; i++) {
      halves.put(i, Fp16Conversions.floatToFp16(values[i]));
    }
    return halves;
  }

  /**
   * From binary16.
   *
   * @return the values
   */
  @Benchmark
  public float[] toFloats() {
    for (int i = 0; i < values.length; i++) {
      values[i] = Fp16Conversions.fp16ToFloat(halves.get(i));
    }
    return values;
  }
}
