package io.github.diffusion4j.bench;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** What a picture takes before its first step. */
public class PromptBenchmark extends Measured {

  /** A tokenizer and a request with nothing left open. */
  @State(Scope.Thread)
  public static class Prepared {

    private Tokenizer tokenizer;
    private GenerationRequest request;
    private BareWork work;

    /** For JMH. */
    public Prepared() {}

    /**
     * Opens the tokenizer.
     *
     * @param pipeline the open model
     * @throws IOException if the model has none
     */
    @Setup
    public void open(PipelineState pipeline) throws IOException {
      tokenizer = Tokenizers.load(pipeline.folder().resolve("tokenizer"));
      request = pipeline.resolved();
      work = pipeline.work();
    }

    /** Closes it. */
    @TearDown
    public void close() {
      tokenizer.close();
    }
  }

  /** For JMH. */
  public PromptBenchmark() {}

  /**
   * Both prompts to token ids, and the solver's schedule: what is not a network's work.
   *
   * @param pipeline the open model
   * @param prepared its tokenizer
   * @param blackhole keeps the ids
   * @return the schedule
   */
  @Benchmark
  public SchedulerRun prepare(PipelineState pipeline, Prepared prepared, Blackhole blackhole) {
    GenerationRequest request = prepared.request;
    blackhole.consume(prepared.tokenizer.encode(request.negativePromptOfEachImage().get(0)));
    blackhole.consume(prepared.tokenizer.encode(request.promptOfEachImage().get(0)));
    return request
        .scheduler()
        .resolve(pipeline.stages().facts().schedulerConfig())
        .start(request.plan().orElseThrow(), prepared.work.latents().sample(), new TorchNoise(0));
  }

  /**
   * Both prompts to embeddings, the text encoder's runs among it; none is kept from before.
   *
   * @param pipeline the open model
   * @param prepared the request
   * @return what the denoiser is conditioned on
   */
  @Benchmark
  public Conditioning encode(PipelineState pipeline, Prepared prepared) {
    GenerationRequest request = prepared.request;
    Guidance guidance = pipeline.stages().rules().guidance(request);
    return pipeline.stages().encoder().encode(request, guidance, new CancelToken());
  }
}
