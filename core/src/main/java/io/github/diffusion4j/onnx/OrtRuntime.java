package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.GenerationBatching;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Opens networks with one set of options, and knows which of them are in memory. For one model;
 * thread-safe.
 */
public final class OrtRuntime {

  private static final System.Logger LOG = System.getLogger(OrtRuntime.class.getName());

  private final OrtEnvironment environment;
  private final RuntimeOptions options;
  private final Providers.Resolved provider;
  private final Residents residents;

  private OrtRuntime(
      OrtEnvironment environment,
      RuntimeOptions options,
      Providers.Resolved provider,
      Residents residents) {
    this.environment = environment;
    this.options = options;
    this.provider = provider;
    this.residents = residents;
  }

  /**
   * The process's one environment: asking for it again with a level would log a warning. Errors are
   * thrown, so that the runtime need not print them as well.
   */
  private static final class Environment {
    static final OrtEnvironment INSTANCE = create();

    private static OrtEnvironment create() {
      NativeLibraries.current();
      OrtEnvironment environment =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "diffusion4j");
      try {
        environment.setTelemetry(false);
      } catch (OrtException e) {
        LOG.log(System.Logger.Level.DEBUG, "ONNX Runtime has no telemetry to turn off here");
      }
      return environment;
    }
  }

  /**
   * Prepares ONNX Runtime.
   *
   * @param options provider, threads and memory
   * @return ready to open networks
   * @throws IllegalArgumentException if the provider asked for cannot be used here
   */
  public static OrtRuntime of(RuntimeOptions options) {
    OrtRuntime runtime =
        new OrtRuntime(
            Environment.INSTANCE,
            options,
            Providers.resolve(options.provider()),
            new Residents(options.residency() == Residency.ON_DEMAND));
    RuntimeOptions.Precision asked = options.precision();
    if (runtime.onCpu()
        && (asked == RuntimeOptions.Precision.FLOAT16
            || asked == RuntimeOptions.Precision.BFLOAT16)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "Networks of weights compute in {0} on the CPU, much slower than in 32 bits, which is what the precision AUTO takes there",
          asked);
    }
    return runtime;
  }

  /**
   * What computes.
   *
   * @return such as {@code ONNX Runtime 1.29.0, cpu}
   */
  public String describe() {
    return "ONNX Runtime " + environment.getVersion() + ", " + provider.provider().name();
  }

  /**
   * The precision that networks are to be built for.
   *
   * @return what the options ask for; by itself the stored one on accelerators, and 32 bits on the
   *     processor, which has few operators of 16
   */
  public RuntimeOptions.Precision precision() {
    if (options.precision() != RuntimeOptions.Precision.AUTO) {
      return options.precision();
    }
    return onCpu() ? RuntimeOptions.Precision.FLOAT32 : RuntimeOptions.Precision.STORED;
  }

  /**
   * Whether the provider has ONNX Runtime's own operator for attention.
   *
   * @return true for CPU and CUDA
   */
  public boolean fusesAttention() {
    return onCpu() || provider.provider() instanceof ExecutionProvider.Cuda;
  }

  /**
   * Whether networks run on the CPU.
   *
   * @return false for every other provider
   */
  public boolean onCpu() {
    return provider.provider() instanceof ExecutionProvider.Cpu;
  }

  /**
   * Whether large convolutions are to be computed by Winograd's method.
   *
   * @return as the options say on the CPU, else false
   */
  public boolean wantsWinograd() {
    return onCpu() && options.winograd();
  }

  /**
   * When networks that are built get inputs for LoRAs.
   *
   * @return what the options ask for; by itself on demand elsewhere than on the CPU
   */
  public LoraInputs loraInputs() {
    boolean auto = options.loraInputs() == LoraInputs.AUTO;
    return auto && !onCpu() ? LoraInputs.ON_DEMAND : options.loraInputs();
  }

  /**
   * Whether control networks are to be one graph with the network that they steer.
   *
   * @return what the options ask for; by itself true where residuals would leave the device
   */
  public boolean mergesControls() {
    return switch (options.controls()) {
      case AUTO -> !onCpu();
      case SEPARATE -> false;
      case MERGED -> true;
    };
  }

  /**
   * Whether generations share runs of the denoiser.
   *
   * @return what the options ask for
   */
  public GenerationBatching generationBatching() {
    return options.generationBatching();
  }

  /**
   * Whether merging control networks is only a wish.
   *
   * @return true where networks that cannot be merged may run separately
   */
  public boolean mayMergeControls() {
    return options.controls() == RuntimeOptions.ControlPlacement.AUTO;
  }

  /** The memory arenas of its sessions, for runs that give back what they freed. */
  String arenas() {
    return ProviderKeys.arenas(provider.provider());
  }

  RuntimeOptions options() {
    return options;
  }

  /** The same for networks that are to be built for 32 bits; they make room for one another. */
  OrtRuntime in32Bits() {
    return new OrtRuntime(
        environment,
        options.toBuilder().precision(RuntimeOptions.Precision.FLOAT32).build(),
        provider,
        residents);
  }

  /**
   * Opens one network.
   *
   * @param component what it is in its model, for messages
   * @param file an ONNX model; in another file system than the default it is read into memory and
   *     must hold its weights
   * @return owned by the caller
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if it is not an ONNX model that this runtime can run
   */
  public OrtModel open(String component, Path file) throws IOException {
    return open(component, file, List.of());
  }

  /**
   * Opens one network with changes of its graph.
   *
   * @param component what it is in its model, for messages
   * @param file an ONNX model
   * @param edits made in memory
   * @return owned by the caller
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if it is not an ONNX model that this runtime can run and edit
   */
  public OrtModel open(String component, Path file, List<GraphEdit> edits) throws IOException {
    return open(
        new OrtModel.Source(this, component, file, Optional.empty(), edits), !residents.onDemand());
  }

  /**
   * Opens one network that is built here.
   *
   * @param component what it is in its model, for messages
   * @param network builds it
   * @param edits changes of its graph
   * @return owned by the caller
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of its configuration, or this runtime
   *     cannot run it
   */
  public OrtModel open(String component, NetworkSource network, List<GraphEdit> edits)
      throws IOException {
    return open(
        new OrtModel.Source(this, component, network.file(), Optional.of(network), edits),
        !residents.onDemand());
  }

  /**
   * Prepares one network that is not always needed: what it takes and gives is read from the file,
   * its session is opened when it is first used. In another file system than the default, which may
   * be closed meanwhile, it is opened at once.
   *
   * @param component what it is in its model, for messages
   * @param file an ONNX model
   * @param edits made in memory
   * @return owned by the caller
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if it is not a whole ONNX model, or weights beside it are not
   */
  public OrtModel openWhenNeeded(String component, Path file, List<GraphEdit> edits)
      throws IOException {
    boolean now = !residents.onDemand() && file.getFileSystem() != FileSystems.getDefault();
    return open(new OrtModel.Source(this, component, file, Optional.empty(), edits), now);
  }

  /**
   * Prepares one network that is built here and not always needed.
   *
   * @param component what it is in its model, for messages
   * @param network builds it, now for what it takes and gives, and when it is first used
   * @param edits changes of its graph
   * @return owned by the caller
   * @throws IOException if a file of weights cannot be read
   * @throws ModelFormatException if the weights are not those of its configuration
   */
  public OrtModel openWhenNeeded(String component, NetworkSource network, List<GraphEdit> edits)
      throws IOException {
    return open(
        new OrtModel.Source(this, component, network.file(), Optional.of(network), edits), false);
  }

  /**
   * Ends a generation: closes networks that nobody uses, if only what is used is to be in memory,
   * and gives memory back to the system where the process has grown.
   */
  public void closeIdle() {
    residents.closeIdle();
  }

  /** From now on keeps in memory only what is used. */
  public void keepOnlyWhatIsUsed() {
    residents.keepOnlyWhatIsUsed();
  }

  private OrtModel open(OrtModel.Source source, boolean now) throws IOException {
    if (Files.size(source.file()) == 0) {
      throw new ModelFormatException(
          source.component() + ": " + source.file() + " is empty; download the model again");
    }
    try (Closer open = new Closer()) {
      NetworkSession session =
          open.own(new NetworkSession(source.component(), residents, () -> opened(source)));
      Optional<Signature> declared = now ? Optional.empty() : declared(source);
      Signature signature = declared.isPresent() ? declared.get() : seen(source, session);
      return new OrtModel(source, signature, session, open);
    }
  }

  /**
   * What the file says, if it says it all; its weights beside it must be there. Changes of the
   * weights are not made for this, since inputs and outputs stay.
   */
  private Optional<Signature> declared(OrtModel.Source source) throws IOException {
    OnnxGraph graph;
    List<GraphEdit> edits =
        source.edits().stream().filter(edit -> !(edit instanceof GraphEdit.Merged)).toList();
    if (source.built().isPresent()) {
      BuiltModel model = source.built().get().build(this, edits);
      graph = OnnxGraph.read(source.file(), model.bytes());
    } else {
      graph = OnnxGraph.read(source.file());
      graph.requireExternalData();
      if (!edits.isEmpty()) {
        graph = OnnxGraph.read(source.file(), GraphEditor.edit(source.file(), edits).bytes());
      }
    }
    return Optional.of(Signature.of(graph.file())).filter(Signature::isComplete);
  }

  /** What ONNX Runtime says. */
  private static Signature seen(OrtModel.Source source, NetworkSession session) throws IOException {
    OrtSession opened = session.acquire();
    try {
      return Signature.of(opened);
    } catch (OrtException e) {
      throw refused(source, e);
    } finally {
      session.release();
    }
  }

  private NetworkSession.Opened opened(OrtModel.Source source) throws IOException {
    try (Closer open = new Closer()) {
      OrtSession.SessionOptions sessionOptions = new OrtSession.SessionOptions();
      NativeCount.opened();
      open.own(
          () -> {
            sessionOptions.close();
            NativeCount.closed();
          });
      Providers.apply(sessionOptions, provider, options);
      OrtSession session =
          new SessionFactory(environment, options, provider).create(source, sessionOptions);
      NativeCount.opened();
      open.own(
          () -> {
            session.close();
            NativeCount.closed();
          });
      residents.trim(); // of what opening took for a while
      return new NetworkSession.Opened(session, open.release());
    } catch (OrtException e) {
      throw refused(source, e);
    }
  }

  private static ModelFormatException refused(OrtModel.Source source, OrtException e) {
    boolean lacksOperator = e.getCode() == OrtException.OrtErrorCode.ORT_NOT_IMPLEMENTED;
    return new ModelFormatException(
        "%s: %s is not a model that ONNX Runtime can open: %s%s"
            .formatted(
                source.component(),
                source.file(),
                e.getMessage(),
                lacksOperator
                    ? "; the provider lacks an operator for the precision that the network computes in: choose another, such as fp32 or fp16"
                    : ""),
        e);
  }
}
