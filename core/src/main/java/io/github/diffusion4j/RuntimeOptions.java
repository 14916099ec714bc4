package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How models are computed: the provider, threads, graph optimization and memory. The same for every
 * model of a pipeline. Made by {@link #defaults()} or {@link #builder()}; immutable, thread-safe.
 *
 * @param provider what computes
 * @param intraOpThreads threads that share one operator, 0 for as many as there are physical cores
 *     within the process's affinity and cgroup limits
 * @param interOpThreads operators that may run at once; 0 or 1 runs one after the other, which
 *     suits diffusion models: they are chains
 * @param optimization how far ONNX Runtime rewrites the graph at load
 * @param memoryArena whether the CPU keeps freed memory for the next run: faster, larger
 * @param memoryPattern whether memory is laid out ahead from the first run of a shape, in one block
 *     beside what that run took: much more memory, hardly faster
 * @param optimizedModelCache folder that keeps optimized models so that the next load skips the
 *     rewriting; empty for none. Files fit one machine kind and one ONNX Runtime version
 * @param spinning whether threads that wait within a run spin for a while before they sleep: faster
 *     on free cores, much slower on shared ones; between runs they sleep
 * @param deterministic whether only kernels whose sums have a fixed order may be taken
 * @param promptCacheBytes most memory of each text encoder's kept results, so that a prompt is not
 *     encoded twice; 0 keeps none
 * @param precision what networks compute in that are built here from their weights; ONNX files have
 *     theirs already
 * @param winograd whether networks that are built here compute large convolutions on the CPU by
 *     Winograd's method: less time, more memory for the kernels
 * @param loraInputs when networks that are built here get inputs for the LoRAs of requests
 * @param safety what becomes of pictures that the model's safety checker flags
 * @param residency which networks are in memory
 * @param memoryLimit most memory of the process in bytes that a generation may be estimated to
 *     take, 0 for no limit; what does not fit is refused
 * @param vaeTiling whether the autoencoder works on tiles
 * @param controls whether control networks are merged with the network that they steer
 * @param generationBatching whether generations at the same time share runs of the denoiser
 * @param concurrency how many generations run at the same time
 * @param sessionConfig raw session entries under ONNX Runtime's keys, such as {@code
 *     session.disable_prepacking}; they win over the typed options
 */
public record RuntimeOptions(
    ExecutionProvider provider,
    int intraOpThreads,
    int interOpThreads,
    Optimization optimization,
    boolean memoryArena,
    boolean memoryPattern,
    Optional<Path> optimizedModelCache,
    boolean spinning,
    boolean deterministic,
    long promptCacheBytes,
    Precision precision,
    boolean winograd,
    LoraInputs loraInputs,
    ControlPlacement controls,
    SafetyPolicy safety,
    Residency residency,
    long memoryLimit,
    VaeTiling vaeTiling,
    GenerationBatching generationBatching,
    ConcurrencyLimit concurrency,
    Map<String, String> sessionConfig) {

  /** Room for about 280 prompts of Stable Diffusion 1, 140 of 2. */
  public static final long DEFAULT_PROMPT_CACHE_BYTES = 64L << 20;

  /** Most threads that can be asked for. */
  public static final int MAX_THREADS = 1024;

  /** How far ONNX Runtime rewrites the graph at load; each level holds the one before. */
  public enum Optimization {
    /** Runs the graph as written. */
    NONE,
    /** Folds constants and drops what does nothing. */
    BASIC,
    /** Fuses operators for the chosen provider. */
    EXTENDED,
    /** Also changes memory layouts to what the processor likes. */
    ALL
  }

  /** Where control networks (ControlNets) run. */
  public enum ControlPlacement {
    /** Separately on the processor, merged elsewhere where the files allow it. */
    AUTO,
    /**
     * As networks of their own: nothing is copied on the processor, but residuals cross to and from
     * any other device in each step. Steps outside of a control's do not run its network.
     */
    SEPARATE,
    /**
     * As one graph with the network that they steer, opened beside it for the first request with
     * controls: residuals stay on the device, and the weights of both are in memory once more.
     */
    MERGED
  }

  /** What a network computes in. */
  public enum Precision {
    /** {@link #STORED} on accelerators, {@link #FLOAT32} on the processor. */
    AUTO,
    /** The type that the weights are stored as. */
    STORED,
    /** 32-bit floats. */
    FLOAT32,
    /** 16-bit floats. */
    FLOAT16,
    /** The upper half of 32-bit floats. */
    BFLOAT16
  }

  /** Checks the ranges and copies the map. */
  public RuntimeOptions {
    requireNonNull(provider, "provider");
    checkThreads("intraOpThreads", intraOpThreads);
    checkThreads("interOpThreads", interOpThreads);
    requireNonNull(optimization, "optimization");
    requireNonNull(optimizedModelCache, "optimizedModelCache");
    if (promptCacheBytes < 0) {
      throw new IllegalArgumentException(
          "promptCacheBytes must be at least 0, found " + promptCacheBytes);
    }
    requireNonNull(precision, "precision");
    requireNonNull(loraInputs, "loraInputs");
    requireNonNull(controls, "controls");
    requireNonNull(safety, "safety");
    requireNonNull(residency, "residency");
    if (memoryLimit < 0) {
      throw new IllegalArgumentException("memoryLimit must be at least 0, found " + memoryLimit);
    }
    requireNonNull(vaeTiling, "vaeTiling");
    requireNonNull(generationBatching, "generationBatching");
    requireNonNull(concurrency, "concurrency");
    sessionConfig = sortedCopy(sessionConfig, "sessionConfig");
  }

  /** Automatic provider and threads, all optimizations, no model cache. */
  public static RuntimeOptions defaults() {
    return builder().build();
  }

  /** A builder that starts at the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that starts at these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.provider = provider;
    builder.intraOpThreads = intraOpThreads;
    builder.interOpThreads = interOpThreads;
    builder.optimization = optimization;
    builder.memoryArena = memoryArena;
    builder.memoryPattern = memoryPattern;
    builder.optimizedModelCache = optimizedModelCache;
    builder.spinning = spinning;
    builder.deterministic = deterministic;
    builder.promptCacheBytes = promptCacheBytes;
    builder.precision = precision;
    builder.winograd = winograd;
    builder.loraInputs = loraInputs;
    builder.controls = controls;
    builder.safety = safety;
    builder.residency = residency;
    builder.memoryLimit = memoryLimit;
    builder.vaeTiling = vaeTiling;
    builder.generationBatching = generationBatching;
    builder.concurrency = concurrency;
    builder.sessionConfig.putAll(sessionConfig);
    return builder;
  }

  private static void checkThreads(String name, int threads) {
    if (threads < 0 || threads > MAX_THREADS) {
      throw new IllegalArgumentException(
          name + " must be 0 (automatic) to " + MAX_THREADS + ", found " + threads);
    }
  }

  /** A sorted immutable copy, so that equal options print alike. */
  static Map<String, String> sortedCopy(Map<String, String> map, String name) {
    Map<String, String> copy = new TreeMap<>();
    requireNonNull(map, name)
        .forEach(
            (key, value) -> {
              if (key == null || key.isBlank() || value == null) {
                throw new IllegalArgumentException(
                    name + " must have keys that are not blank and values, found " + map);
              }
              copy.put(key, value);
            });
    return Collections.unmodifiableMap(copy);
  }

  /** Collects options; not thread-safe. */
  public static final class Builder {
    private ExecutionProvider provider = ExecutionProvider.auto();
    private int intraOpThreads;
    private int interOpThreads;
    private Optimization optimization = Optimization.ALL;
    private boolean memoryArena = true;
    private boolean memoryPattern;
    private Optional<Path> optimizedModelCache = Optional.empty();
    private boolean spinning = true;
    private boolean deterministic;
    private long promptCacheBytes = DEFAULT_PROMPT_CACHE_BYTES;
    private Precision precision = Precision.AUTO;
    private boolean winograd = true;
    private LoraInputs loraInputs = LoraInputs.AUTO;
    private ControlPlacement controls = ControlPlacement.AUTO;
    private SafetyPolicy safety = SafetyPolicy.BLACK;
    private Residency residency = Residency.AUTO;
    private long memoryLimit;
    private VaeTiling vaeTiling = VaeTiling.AUTO;
    private GenerationBatching generationBatching = GenerationBatching.OFF;
    private ConcurrencyLimit concurrency = ConcurrencyLimit.NONE;
    private final Map<String, String> sessionConfig = new TreeMap<>();

    private Builder() {}

    /**
     * Sets what computes; automatic by default.
     *
     * @param value the provider
     */
    public Builder provider(ExecutionProvider value) {
      provider = requireNonNull(value, "provider");
      return this;
    }

    /**
     * Sets the threads that share one operator; 0 by default.
     *
     * @param value 0 (physical cores) to {@value RuntimeOptions#MAX_THREADS}
     */
    public Builder intraOpThreads(int value) {
      intraOpThreads = value;
      return this;
    }

    /**
     * Sets how many operators may run at once; 0, one after the other, by default.
     *
     * @param value 0 to {@value RuntimeOptions#MAX_THREADS}
     */
    public Builder interOpThreads(int value) {
      interOpThreads = value;
      return this;
    }

    /**
     * Sets how far the graph is rewritten; {@link Optimization#ALL} by default.
     *
     * @param value the level
     */
    public Builder optimization(Optimization value) {
      optimization = requireNonNull(value, "optimization");
      return this;
    }

    /**
     * Sets whether freed CPU memory is kept; true by default.
     *
     * @param value whether to keep it
     */
    public Builder memoryArena(boolean value) {
      memoryArena = value;
      return this;
    }

    /**
     * Sets whether memory is laid out ahead; false by default.
     *
     * @param value whether to lay it out
     */
    public Builder memoryPattern(boolean value) {
      memoryPattern = value;
      return this;
    }

    /**
     * Sets the folder that keeps optimized models; none by default.
     *
     * @param folder existing or new folder
     */
    public Builder optimizedModelCache(Path folder) {
      optimizedModelCache = Optional.of(folder);
      return this;
    }

    /**
     * Sets whether idle threads spin before they sleep; true by default.
     *
     * @param value whether to spin
     */
    public Builder spinning(boolean value) {
      spinning = value;
      return this;
    }

    /**
     * Sets whether only kernels with a fixed order of sums are taken; false by default.
     *
     * @param value whether to take only those
     */
    public Builder deterministic(boolean value) {
      deterministic = value;
      return this;
    }

    /**
     * Sets the memory for results of each text encoder; 64 MiB by default.
     *
     * @param value 0 (none) or more
     */
    public Builder promptCacheBytes(long value) {
      promptCacheBytes = value;
      return this;
    }

    /**
     * Sets what networks built here compute in; {@link Precision#AUTO} by default.
     *
     * @param value the precision
     */
    public Builder precision(Precision value) {
      precision = requireNonNull(value, "precision");
      return this;
    }

    /**
     * Sets whether networks of weights compute large convolutions on the CPU by Winograd's method;
     * true by default. A full-size UNet of Stable Diffusion 1 takes about a tenth less time so, and
     * 0.6 GiB more memory.
     *
     * @param value whether to
     */
    public Builder winograd(boolean value) {
      winograd = value;
      return this;
    }

    /**
     * Sets when networks that are built here get inputs for the LoRAs of requests; {@link
     * LoraInputs#AUTO} by default.
     *
     * @param value when
     * @return this builder
     */
    public Builder loraInputs(LoraInputs value) {
      loraInputs = requireNonNull(value, "loraInputs");
      return this;
    }

    /**
     * Sets where control networks run; {@link ControlPlacement#AUTO} by default.
     *
     * @param value the placement
     */
    public Builder controls(ControlPlacement value) {
      controls = requireNonNull(value, "controls");
      return this;
    }

    /**
     * Sets what becomes of pictures that the model's safety checker flags; {@link
     * SafetyPolicy#BLACK} by default.
     *
     * @param value the policy
     */
    public Builder safety(SafetyPolicy value) {
      safety = requireNonNull(value, "safety");
      return this;
    }

    /**
     * Sets which networks are in memory; {@link Residency#AUTO} by default.
     *
     * @param value the residency
     */
    public Builder residency(Residency value) {
      residency = requireNonNull(value, "residency");
      return this;
    }

    /**
     * Sets the most memory that a generation may be estimated to take; none by default.
     *
     * @param value bytes of the whole process, 0 for no limit
     */
    public Builder memoryLimit(long value) {
      memoryLimit = value;
      return this;
    }

    /**
     * Sets whether the autoencoder works on tiles; where memory asks for it by default.
     *
     * @param value when and how
     */
    public Builder vaeTiling(VaeTiling value) {
      vaeTiling = requireNonNull(value, "vaeTiling");
      return this;
    }

    /**
     * Sets that generations at the same time share runs of the denoiser; they do not by default.
     *
     * @param maxRows most rows of a run: pictures times guidance branches
     * @param maxWait longest that a run waits for generations that are about to ask again; a few
     *     milliseconds
     */
    public Builder batching(int maxRows, Duration maxWait) {
      generationBatching = new GenerationBatching(maxRows, maxWait);
      return this;
    }

    /**
     * Sets how many generations run at the same time; any number by default.
     *
     * @param running most that run, at least 1
     * @param waiting most that wait for their turn; the next one is refused
     */
    public Builder maxConcurrent(int running, int waiting) {
      concurrency = new ConcurrencyLimit(running, waiting);
      return this;
    }

    /**
     * Adds one raw session entry.
     *
     * @param key ONNX Runtime's key
     * @param value its value
     */
    public Builder sessionConfig(String key, String value) {
      sessionConfig.put(requireNonNull(key, "key"), requireNonNull(value, "value"));
      return this;
    }

    /**
     * The options.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public RuntimeOptions build() {
      return new RuntimeOptions(
          provider,
          intraOpThreads,
          interOpThreads,
          optimization,
          memoryArena,
          memoryPattern,
          optimizedModelCache,
          spinning,
          deterministic,
          promptCacheBytes,
          precision,
          winograd,
          loraInputs,
          controls,
          safety,
          residency,
          memoryLimit,
          vaeTiling,
          generationBatching,
          concurrency,
          sessionConfig);
    }
  }
}
