package io.github.diffusion4j.bench;

import io.github.diffusion4j.pipeline.GenerationResult;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a fresh JVM takes to open a model, and to paint its first picture. The files are in the
 * operating system's cache after the first fork.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 5,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g"})
@Warmup(iterations = 0)
@Measurement(iterations = 1)
public class ColdLoadBenchmark extends Measured {

  /** The pipeline that is being opened. */
  @State(Scope.Benchmark)
  public static class Cold extends ModelParameters {

    private StableDiffusionPipeline pipeline;

    /** For JMH. */
    public Cold() {}

    /** Closes the pipeline. */
    @TearDown(Level.Iteration)
    public void close() {
      pipeline.close();
    }
  }

  /** For JMH. */
  public ColdLoadBenchmark() {}

  /**
   * Opens the model: native libraries, networks, tokenizer.
   *
   * @param cold nothing is open
   * @return the open pipeline
   * @throws IOException if the model cannot be read
   */
  @Benchmark
  public Object load(Cold cold) throws IOException {
    cold.pipeline = StableDiffusionPipeline.load(cold.folder(), cold.options());
    return cold.pipeline;
  }

  /**
   * Opens the model and paints.
   *
   * @param cold nothing is open
   * @return the picture
   * @throws IOException if the model cannot be read
   */
  @Benchmark
  public GenerationResult firstPicture(Cold cold) throws IOException {
    load(cold);
    return cold.pipeline.generate(cold.request());
  }
}
