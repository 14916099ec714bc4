package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.GenerationBatching;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Opens networks with one set of options. Immutable and thread-safe. */
public final class OrtRuntime {

  private static final System.Logger LOG = System.getLogger(OrtRuntime.class.getName());

  private static final String EXTERNAL_FOLDER =
      "session.model_external_initializers_file_folder_path";

  private final OrtEnvironment environment;
  private final RuntimeOptions options;
  private final Providers.Resolved provider;

  private OrtRuntime(
      OrtEnvironment environment, RuntimeOptions options, Providers.Resolved provider) {
    this.environment = environment;
    this.options = options;
    this.provider = provider;
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
    OrtEnvironment environment = Environment.INSTANCE;
    return new OrtRuntime(environment, options, Providers.resolve(options.provider()));
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
    return provider.provider() instanceof ExecutionProvider.Cpu
        ? RuntimeOptions.Precision.FLOAT32
        : RuntimeOptions.Precision.STORED;
  }

  /**
   * Whether the provider has ONNX Runtime's own operator for attention.
   *
   * @return true for CPU and CUDA
   */
  public boolean fusesAttention() {
    return provider.provider() instanceof ExecutionProvider.Cpu
        || provider.provider() instanceof ExecutionProvider.Cuda;
  }

  /**
   * Whether control networks are to be one graph with the network that they steer.
   *
   * @return what the options ask for; by itself true where residuals would leave the device
   */
  public boolean mergesControls() {
    return switch (options.controls()) {
      case AUTO -> !(provider.provider() instanceof ExecutionProvider.Cpu);
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

  RuntimeOptions options() {
    return options;
  }

  /** The same for networks that are to be built for 32 bits. */
  OrtRuntime in32Bits() {
    return new OrtRuntime(
        environment,
        options.toBuilder().precision(RuntimeOptions.Precision.FLOAT32).build(),
        provider);
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
    if (Files.size(file) == 0) {
      throw new ModelFormatException(
          component + ": " + file + " is empty; download the model again");
    }
    return open(
        new OrtModel.Source(this, component, file, Optional.empty(), edits),
        sessionOptions ->
            edits.isEmpty() ? session(file, sessionOptions) : edited(file, edits, sessionOptions));
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
    BuiltModel model = network.build(this, edits);
    return open(
        new OrtModel.Source(this, component, network.file(), Optional.of(network), edits),
        sessionOptions ->
            options.optimizedModelCache().isEmpty() || !model.buffers().isEmpty()
                ? built(model, sessionOptions)
                : optimized(component, network.file(), model, sessionOptions));
  }

  /** Opens a session with prepared options. */
  private interface Opening {
    OrtSession session(OrtSession.SessionOptions options) throws OrtException, IOException;
  }

  private OrtModel open(OrtModel.Source source, Opening opening) throws IOException {
    try (Closer open = new Closer()) {
      OrtSession.SessionOptions sessionOptions = new OrtSession.SessionOptions();
      NativeCount.opened();
      open.own(
          () -> {
            sessionOptions.close();
            NativeCount.closed();
          });
      Providers.apply(sessionOptions, provider, options);
      OrtSession session = opening.session(sessionOptions);
      NativeCount.opened();
      open.own(
          () -> {
            session.close();
            NativeCount.closed();
          });
      return new OrtModel(source, session, open);
    } catch (OrtException e) {
      throw new ModelFormatException(
          "%s: %s is not a model that ONNX Runtime can open: %s"
              .formatted(source.component(), source.file(), e.getMessage()),
          e);
    }
  }

  private OrtSession session(Path file, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    if (file.getFileSystem() != FileSystems.getDefault()) {
      return environment.createSession(Files.readAllBytes(file), sessionOptions);
    }
    return options.optimizedModelCache().isEmpty()
        ? environment.createSession(file.toAbsolutePath().toString(), sessionOptions)
        : optimized(file, sessionOptions);
  }

  private OrtSession optimized(Path file, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    return optimized(
        new OptimizedModels.Original() {
          @Override
          public String name() throws IOException {
            return file.toRealPath().toString();
          }

          @Override
          public String fingerprint(List<String> settings) throws IOException {
            return ModelFingerprint.of(file, settings);
          }

          @Override
          public OrtSession open(OrtSession.SessionOptions session) throws OrtException {
            return environment.createSession(file.toAbsolutePath().toString(), session);
          }
        },
        sessionOptions);
  }

  private OrtSession optimized(
      String component, Path weights, BuiltModel model, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    return optimized(
        new OptimizedModels.Original() {
          @Override
          public String name() throws IOException {
            return weights.toRealPath() + " " + component;
          }

          @Override
          public String fingerprint(List<String> settings) throws IOException {
            return ModelFingerprint.of(model, settings);
          }

          @Override
          public OrtSession open(OrtSession.SessionOptions session) throws OrtException {
            return built(model, session);
          }
        },
        sessionOptions);
  }

  private OrtSession optimized(
      OptimizedModels.Original original, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    return new OptimizedModels(options.optimizedModelCache().orElseThrow(), options, provider)
        .open(environment, original, sessionOptions);
  }

  private OrtSession edited(
      Path file, List<GraphEdit> edits, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    byte[] model = GraphEditor.edit(file, edits);
    if (edits.contains(new GraphEdit.Float32())) {
      return built(Float32Model.of(file, model), sessionOptions);
    }
    if (file.getFileSystem() == FileSystems.getDefault()) {
      sessionOptions.addConfigEntry(EXTERNAL_FOLDER, file.toAbsolutePath().getParent().toString());
    }
    return environment.createSession(model, sessionOptions);
  }

  private OrtSession built(BuiltModel model, OrtSession.SessionOptions sessionOptions)
      throws OrtException {
    if (model.folder().isPresent()) {
      sessionOptions.addConfigEntry(EXTERNAL_FOLDER, model.folder().get().toString());
    }
    Map<String, OnnxTensorLike> buffers = new HashMap<>();
    try (Closer copied = new Closer()) {
      for (Map.Entry<String, BuiltModel.Buffer> entry : model.buffers().entrySet()) {
        buffers.put(entry.getKey(), copied.own(tensor(entry.getValue())));
      }
      if (!buffers.isEmpty()) {
        sessionOptions.addExternalInitializers(buffers);
      }
      return environment.createSession(model.bytes(), sessionOptions);
    }
  }

  private OnnxTensor tensor(BuiltModel.Buffer buffer) throws OrtException {
    ByteBuffer bytes = buffer.bytes().duplicate();
    if (!bytes.isDirect()) {
      bytes = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    }
    long[] shape = buffer.shape().stream().mapToLong(Long::longValue).toArray();
    return OnnxTensor.createTensor(
        environment, bytes.order(ByteOrder.nativeOrder()), shape, buffer.type().java());
  }
}
