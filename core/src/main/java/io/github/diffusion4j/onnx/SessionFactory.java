package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
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

/**
 * Creates sessions from what networks come from: a file, a file with changes of its graph, or a
 * graph that is built; each optimized anew, or as it was kept.
 *
 * @param environment the process's
 * @param options whether optimized networks are kept, and where
 * @param provider what computes
 */
record SessionFactory(
    OrtEnvironment environment, RuntimeOptions options, Providers.Resolved provider) {

  private static final String EXTERNAL_FOLDER =
      "session.model_external_initializers_file_folder_path";

  /**
   * Opens a network.
   *
   * @param source file or builder of it
   * @param sessionOptions gets what the weights' place asks for
   */
  OrtSession create(OrtModel.Source source, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    if (source.built().isPresent()) {
      BuiltModel model = source.built().get().build(source.runtime(), source.edits());
      return isKept(source.allEdits()) && model.buffers().isEmpty()
          ? optimized(source, model, sessionOptions)
          : built(model, sessionOptions);
    }
    return source.edits().isEmpty()
        ? session(source.file(), sessionOptions)
        : built(GraphEditor.edit(source.file(), source.edits()), sessionOptions);
  }

  /** Whether a built network is one that is opened again and again: not what a request adds. */
  private boolean isKept(List<GraphEdit> edits) {
    return options.optimizedModelCache().isPresent()
        && edits.stream().allMatch(GraphEdit.RowTimesteps.class::isInstance);
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
      OrtModel.Source source, BuiltModel model, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
    return optimized(
        new OptimizedModels.Original() {
          @Override
          public String name() throws IOException {
            StringBuilder weights = new StringBuilder(source.file().toRealPath().toString());
            for (Path other : source.network().otherFiles()) {
              weights.append(' ').append(other.toRealPath());
            }
            return "%s %s %s %s"
                .formatted(
                    weights, source.component(), source.runtime().precision(), source.allEdits());
          }

          @Override
          public String fingerprint(List<String> settings) throws IOException {
            return ModelFingerprint.of(model, settings);
          }

          @Override
          public OrtSession open(OrtSession.SessionOptions session)
              throws OrtException, IOException {
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

  private OrtSession built(BuiltModel model, OrtSession.SessionOptions sessionOptions)
      throws OrtException, IOException {
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

  private OnnxTensor tensor(BuiltModel.Buffer buffer) throws OrtException, IOException {
    ByteBuffer bytes = buffer.bytes();
    if (!bytes.isDirect()) {
      bytes = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    }
    long[] shape = buffer.shape().stream().mapToLong(Long::longValue).toArray();
    return OnnxTensor.createTensor(
        environment, bytes.order(ByteOrder.nativeOrder()), shape, buffer.type().java());
  }
}
