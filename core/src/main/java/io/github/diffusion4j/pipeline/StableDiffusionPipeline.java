package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ConcurrencyLimit;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.family.Families;
import io.github.diffusion4j.family.ModelFamily;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Paints pictures from requests. Thread-safe: any number of threads may generate at the same time
 * on one pipeline, which shares its networks between them.
 *
 * <pre>{@code
 * try (var pipeline = StableDiffusionPipeline.load(Path.of("model"))) {
 *   var request = GenerationRequest.prompt("a red apple").seed(42).build();
 *   pipeline.generate(request).save(Path.of("apple.png"));
 * }
 * }</pre>
 */
public final class StableDiffusionPipeline implements AutoCloseable {

  private final Stages stages;
  private final Equipment equipment;
  private final RequestLoras loras;
  private final Admission admission;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private StableDiffusionPipeline(
      Stages stages, Equipment equipment, RequestLoras loras, ConcurrencyLimit limit) {
    this.stages = requireNonNull(stages, "stages");
    this.equipment = equipment;
    this.loras = loras;
    this.admission = new Admission(limit);
  }

  /**
   * Opens a model with automatic options: CUDA where it works, else the CPU.
   *
   * @param folder an ONNX model in the layout of the Hugging Face hub
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  public static StableDiffusionPipeline load(Path folder) throws IOException {
    return load(folder, RuntimeOptions.defaults());
  }

  /**
   * Opens a model.
   *
   * @param folder an ONNX model in the layout of the Hugging Face hub; also inside a jar, by a path
   *     of a zip file system
   * @param options provider, threads and memory
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  public static StableDiffusionPipeline load(Path folder, RuntimeOptions options)
      throws IOException {
    return load(folder, options, List.of());
  }

  /**
   * Opens a model that is taught new words.
   *
   * @param folder an ONNX model in the layout of the Hugging Face hub
   * @param options provider, threads and memory
   * @param inversions the words; their tokens are appended to the vocabulary in this order
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   * @throws IllegalArgumentException if a word's embeddings are for another kind of model
   */
  public static StableDiffusionPipeline load(
      Path folder, RuntimeOptions options, List<TextualInversion> inversions) throws IOException {
    return load(ModelLayout.of(requireNonNull(folder, "folder")).with(inversions), options);
  }

  /**
   * Opens a model with whatever its layout adds to it: words, control networks.
   *
   * @param layout the folder and what it is opened with
   * @param options provider, threads and memory
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   * @throws IllegalArgumentException if the model cannot take what is added to it
   */
  public static StableDiffusionPipeline load(ModelLayout layout, RuntimeOptions options)
      throws IOException {
    Optional<MemoryBudget> budget = MemoryBudget.of(layout, requireNonNull(options, "options"));
    OrtRuntime runtime = OrtRuntime.of(budget.map(MemoryBudget::fitted).orElse(options));
    ModelFamily family = Families.of(layout);
    if (!layout.inversions().isEmpty() && !family.takesTextualInversions()) {
      throw new IllegalArgumentException(
          layout.folder() + ": models of family " + family.name() + " take no textual inversion");
    }
    try (Closer open = new Closer()) {
      SafetyCheck safety = open.own(SafetyCheck.open(layout, runtime, options.safety()));
      Stages stages = open.own(family.open(layout, runtime));
      if (layout.hasGivenControlNets() && stages.denoiser().controlNets().isEmpty()) {
        throw new IllegalArgumentException(
            layout.folder() + ": models of family " + family.name() + " take no ControlNet");
      }
      Equipment.Budget fit =
          budget.map(limited -> limited.of(stages, runtime)).orElse(Equipment.Budget.NONE);
      Equipment equipment = new Equipment(runtime.describe(), safety, fit, runtime::closeIdle);
      var pipeline =
          new StableDiffusionPipeline(
              stages,
              equipment,
              new RequestLoras(layout.loraFolder(), family::named),
              options.concurrency());
      open.release();
      return pipeline;
    }
  }

  /**
   * A pipeline of given stages: a user's own networks, or fakes.
   *
   * @param stages closed with the pipeline
   * @return owned by the caller
   */
  public static StableDiffusionPipeline of(Stages stages) {
    return of(stages, ConcurrencyLimit.NONE);
  }

  /**
   * A pipeline of given stages that runs so many generations at the same time.
   *
   * @param stages closed with the pipeline
   * @param limit how many run and wait
   * @return owned by the caller
   */
  public static StableDiffusionPipeline of(Stages stages, ConcurrencyLimit limit) {
    return of(stages, Equipment.OF_GIVEN_STAGES, limit);
  }

  static StableDiffusionPipeline of(Stages stages, Equipment equipment, ConcurrencyLimit limit) {
    return new StableDiffusionPipeline(
        stages, equipment, new RequestLoras(Optional.empty(), UnaryOperator.identity()), limit);
  }

  /**
   * The model's stages.
   *
   * @return owned by this pipeline
   */
  public Stages stages() {
    return stages;
  }

  /**
   * What the model says of itself.
   *
   * @return defaults of requests
   */
  public ModelFacts facts() {
    return stages.facts();
  }

  /**
   * Paints.
   *
   * @param request what to paint
   * @return the pictures and how they were made
   * @throws IllegalArgumentException if the model cannot paint this request
   * @throws IllegalStateException after close
   * @throws io.github.diffusion4j.DiffusionException if a network fails, if the thread is
   *     interrupted, or if more generations run and wait than {@link RuntimeOptions#concurrency}
   *     allows
   */
  public GenerationResult generate(GenerationRequest request) {
    return generate(request, StepListener.NONE, new CancelToken());
  }

  /**
   * Paints, telling a listener of every step.
   *
   * @param request what to paint
   * @param listener called on this thread
   * @return the pictures and how they were made
   */
  public GenerationResult generate(GenerationRequest request, StepListener listener) {
    return generate(request, listener, new CancelToken());
  }

  /**
   * Paints, telling a listener of every step, until a token cancels.
   *
   * @param request what to paint
   * @param listener called on this thread; what it throws aborts the generation
   * @param cancel stops the generation from any thread
   * @return the pictures and how they were made
   * @throws io.github.diffusion4j.GenerationCancelledException if cancelled or interrupted
   */
  public GenerationResult generate(
      GenerationRequest request, StepListener listener, CancelToken cancel) {
    requireNonNull(request, "request");
    GenerationRequest tagged = withTaggedLoras(request);
    return locked(
        tagged, listener, cancel, painting -> painting.decode(painting.denoise(resolved(tagged))));
  }

  /** The first part of a generation, whose latents something else goes on with. */
  Painting.Denoised denoise(GenerationRequest request, StepListener listener, CancelToken cancel) {
    GenerationRequest tagged = withTaggedLoras(request);
    return locked(tagged, listener, cancel, painting -> painting.denoise(resolved(tagged)));
  }

  /** The request with LoRAs in place of what its prompts say of them. */
  GenerationRequest withTaggedLoras(GenerationRequest request) {
    return loras.tagged(request);
  }

  private GenerationRequest resolved(GenerationRequest request) {
    return equipment.budget().fit(request.init().prepare(request, stages).resolve(facts()));
  }

  private <T> T locked(
      GenerationRequest request,
      StepListener listener,
      CancelToken cancel,
      Function<Painting, T> work) {
    requireNonNull(listener, "listener");
    requireNonNull(cancel, "cancel");
    if (lock.getReadHoldCount() > 0) { // from a listener: the generation has its turn already
      return entered(request, listener, cancel, work);
    }
    admission.enter(cancel);
    try {
      return entered(request, listener, cancel, work);
    } finally {
      admission.leave();
    }
  }

  private <T> T entered(
      GenerationRequest request,
      StepListener listener,
      CancelToken cancel,
      Function<Painting, T> work) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("this pipeline is closed");
      }
      Stages changed = stages.with(loras.read(request.loras()));
      return work.apply(new Painting(changed, equipment, listener, cancel));
    } finally {
      try {
        equipment.afterwards().run();
      } finally {
        lock.readLock().unlock();
      }
    }
  }

  /**
   * Closes the networks once the running generations have ended. Closing again does nothing.
   *
   * @throws IllegalStateException from inside a listener: the generation could never end
   */
  @Override
  public void close() {
    if (lock.getReadHoldCount() > 0) {
      throw new IllegalStateException(
          "a pipeline cannot be closed by the listener of its own generation; cancel first");
    }
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        try (equipment) {
          stages.close();
        }
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
