package io.github.diffusion4j.bench;

import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.RuntimeOptions;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The parameters of every benchmark that runs a model. */
@State(Scope.Benchmark)
public abstract class ModelParameters {

  private static final String PROMPT = "a red apple on a light blue background";
  private static final long SEED = 42;
  private static final double GUIDANCE_SCALE = 4;

  /** {@code shipped}, {@code tiny}, or the folder of an ONNX model. */
  @Param("shipped")
  public String model;

  /** What computes: a name that {@link ExecutionProvider#parse} takes. */
  @Param("cpu")
  public String provider;

  /** Threads of one operator; 0: as many as processors. */
  @Param("0")
  public int threads;

  /** Options of the sessions, as {@link Tuning} reads them. */
  @Param(Tuning.DEFAULT)
  public String tuning;

  /** Steps of a generation. */
  @Param("10")
  public int steps;

  /** Images painted together. */
  @Param("1")
  public int images;

  /** Width and height in pixels; 0: the model's own. */
  @Param("0")
  public int size;

  /** For JMH. */
  protected ModelParameters() {}

  final Path folder() {
    return Models.folder(model);
  }

  final RuntimeOptions options() {
    RuntimeOptions.Builder options =
        RuntimeOptions.builder()
            .provider(ExecutionProvider.parse(provider))
            .promptCacheBytes(0) // every picture encodes its prompts
            .intraOpThreads(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    return Tuning.apply(tuning, options).build();
  }

  final GenerationRequest request() {
    GenerationRequestBuilder request =
        GenerationRequest.prompt(PROMPT)
            .seed(SEED)
            .steps(steps)
            .guidanceScale(GUIDANCE_SCALE)
            .imagesPerPrompt(images);
    return (size > 0 ? request.size(size, size) : request).build();
  }
}
