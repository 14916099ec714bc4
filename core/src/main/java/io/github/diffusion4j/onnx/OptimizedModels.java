package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Keeps networks as ONNX Runtime has rewritten them, so that the next session need not rewrite them
 * again. Each is a folder, named after everything it depends on, with the graph, the weights beside
 * it, so that no size is too large, and a note of where the network came from. It is written under
 * another name and moved, so that processes may share the place. A network that has changed
 * replaces its earlier self.
 *
 * @param folder where the networks are; others must not be able to write there
 * @param options the options that the rewriting depends on
 * @param provider the provider that it depends on
 */
record OptimizedModels(Path folder, RuntimeOptions options, Providers.Resolved provider) {

  private static final System.Logger LOG = System.getLogger(OptimizedModels.class.getName());

  private static final String GRAPH = "model.onnx";
  private static final String WEIGHTS = "model.onnx.data";
  private static final String ORIGIN = "origin.txt";
  private static final String UNFINISHED = "unfinished-";

  /** Smaller constants stay in the graph, where rewriting and shape inference can see them. */
  private static final String LEAST_WEIGHT_BYTES = "1024";

  private static final Duration ABANDONED = Duration.ofDays(1);

  /** A network as it is before ONNX Runtime rewrites it. */
  interface Original {

    /** What stays the same when its contents change. */
    String name() throws IOException;

    /** A hash of its contents and of what else is given. */
    String fingerprint(List<String> settings) throws IOException;

    /** Opens it as it is. */
    OrtSession open(OrtSession.SessionOptions session) throws OrtException, IOException;
  }

  /** Opens the kept model, or the original while keeping it for the next time. */
  OrtSession open(OrtEnvironment environment, Original original, OrtSession.SessionOptions session)
      throws OrtException, IOException {
    if (!serializable()) {
      return original.open(session);
    }
    Path entry;
    try {
      makeFolder();
      entry = folder.resolve(original.fingerprint(settings(environment.getVersion())));
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "no optimized models are kept in {0}: {1}", folder, e);
      return original.open(session);
    }
    Path kept = entry.resolve(GRAPH);
    if (Files.isRegularFile(kept)) {
      try {
        FolderTrust.check(kept);
        return environment.createSession(kept.toAbsolutePath().toString(), session);
      } catch (OrtException | IOException e) {
        LOG.log(System.Logger.Level.WARNING, "optimized model {0} is not used: {1}", kept, e);
        delete(entry);
      }
    }
    return keeping(original, session, entry);
  }

  /** Other providers compile parts of the graph into what no file can hold. */
  private boolean serializable() {
    return provider.provider() instanceof ExecutionProvider.Cpu
        || provider.provider() instanceof ExecutionProvider.Cuda;
  }

  private void makeFolder() throws IOException {
    Files.createDirectories(folder, FolderTrust.attributes("rwx------", folder));
    FolderTrust.check(folder.toAbsolutePath());
  }

  private OrtSession keeping(Original original, OrtSession.SessionOptions session, Path entry)
      throws OrtException, IOException {
    Path unfinished;
    try {
      unfinished = Files.createTempDirectory(folder, UNFINISHED);
      Files.writeString(unfinished.resolve(ORIGIN), origin(original));
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "no optimized models are kept in {0}: {1}", folder, e);
      return original.open(session);
    }
    try {
      session.setOptimizedModelFilePath(unfinished.resolve(GRAPH).toAbsolutePath().toString());
      session.addConfigEntry("session.optimized_model_external_initializers_file_name", WEIGHTS);
      session.addConfigEntry(
          "session.optimized_model_external_initializers_min_size_in_bytes", LEAST_WEIGHT_BYTES);
      OrtSession opened;
      try {
        opened = original.open(session);
      } catch (OrtException e) { // the disk may be full: the network itself decides
        session.setOptimizedModelFilePath("");
        opened = original.open(session);
        LOG.log(System.Logger.Level.WARNING, "optimized {0} is not kept: {1}", original.name(), e);
        return opened;
      }
      keep(unfinished, entry);
      return opened;
    } finally {
      delete(unfinished);
    }
  }

  /** The finished folder gets its name; earlier versions of the same network go. */
  private void keep(Path unfinished, Path entry) {
    try {
      if (!Files.isDirectory(entry)) { // another process was first
        Files.move(unfinished, entry);
      }
      String origin = Files.readString(entry.resolve(ORIGIN));
      for (Path other : entries()) {
        boolean abandoned =
            other.getFileName().toString().startsWith(UNFINISHED)
                && Files.getLastModifiedTime(other)
                    .toInstant()
                    .isBefore(Instant.now().minus(ABANDONED));
        if (abandoned || !other.equals(entry) && origin.equals(originOf(other))) {
          delete(other);
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "optimized model {0} is not kept: {1}", entry, e);
    }
  }

  private List<Path> entries() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isDirectory).toList();
    }
  }

  /** What an entry was made of; "" of one that another process is still writing. */
  private static String originOf(Path entry) throws IOException {
    Path note = entry.resolve(ORIGIN);
    boolean finished = !entry.getFileName().toString().startsWith(UNFINISHED);
    return finished && Files.isRegularFile(note) ? Files.readString(note) : "";
  }

  private static void delete(Path entry) {
    try (Stream<Path> files = Files.list(entry)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(entry);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "{0} is not deleted: {1}", entry, e);
    }
  }

  /** The network and the options, but not what an update changes: contents, ONNX Runtime. */
  private String origin(Original original) throws IOException {
    List<String> lines = new ArrayList<>(List.of(original.name()));
    lines.addAll(settings(""));
    return String.join("\n", lines);
  }

  /** What rewriting depends on beside the network: layouts are chosen for the processor. */
  private List<String> settings(String version) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                version,
                provider.provider().toString(),
                options.optimization().toString(),
                Boolean.toString(options.deterministic()),
                options.sessionConfig().toString(),
                System.getProperty("os.arch")));
    Machine.current().lines("/proc/cpuinfo").stream()
        .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
        .findFirst()
        .ifPresent(settings::add);
    return settings;
  }
}
