package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Stream;

/**
 * Keeps networks as ONNX Runtime has rewritten them, so that the next session need not rewrite them
 * again. A file's name is a hash of everything it depends on; it is written under another name and
 * moved, so that processes may share the folder.
 *
 * @param folder where the files are
 * @param options the options that the rewriting depends on
 * @param provider the provider that it depends on
 */
record OptimizedModels(Path folder, RuntimeOptions options, Providers.Resolved provider) {

  private static final System.Logger LOG = System.getLogger(OptimizedModels.class.getName());

  /** A serialized model must stay below protobuf's 2 GiB; larger ones are not kept. */
  private static final long LARGEST = 1_900_000_000L;

  /** Opens the kept model, or the original while keeping it for the next time. */
  OrtSession open(OrtEnvironment environment, Path file, OrtSession.SessionOptions session)
      throws OrtException, IOException {
    if (sizeWithWeights(file) > LARGEST) {
      return environment.createSession(file.toAbsolutePath().toString(), session);
    }
    Path kept = folder.resolve(key(environment, file) + ".onnx");
    if (Files.isRegularFile(kept)) {
      try {
        return environment.createSession(kept.toAbsolutePath().toString(), session);
      } catch (OrtException e) {
        LOG.log(System.Logger.Level.WARNING, "optimized model {0} is unusable, made again", kept);
        Files.deleteIfExists(kept);
      }
    }
    Path unfinished;
    try {
      Files.createDirectories(folder);
      unfinished = Files.createTempFile(folder, "unfinished-", ".onnx");
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "no optimized models are kept in {0}: {1}", folder, e);
      return environment.createSession(file.toAbsolutePath().toString(), session);
    }
    try {
      session.setOptimizedModelFilePath(unfinished.toAbsolutePath().toString());
      OrtSession opened = environment.createSession(file.toAbsolutePath().toString(), session);
      keep(unfinished, kept);
      return opened;
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static void keep(Path unfinished, Path kept) {
    try {
      if (Files.size(unfinished) > 0) {
        Files.move(unfinished, kept, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "optimized model {0} is not kept: {1}", kept, e);
    }
  }

  private static long sizeWithWeights(Path file) throws IOException {
    try (Stream<Path> files = Files.list(file.toAbsolutePath().getParent())) {
      long total = 0;
      for (Path sibling : files.filter(Files::isRegularFile).toList()) {
        total += Files.size(sibling);
      }
      return total;
    }
  }

  private String key(OrtEnvironment environment, Path file) throws IOException {
    MessageDigest digest = sha256();
    String settings =
        String.join(
            "\n",
            environment.getVersion(),
            provider.provider().toString(),
            options.optimization().toString(),
            options.sessionConfig().toString(),
            System.getProperty("os.arch"));
    digest.update(settings.getBytes(StandardCharsets.UTF_8));
    try (Stream<Path> files = Files.list(file.toAbsolutePath().getParent())) {
      for (Path part : files.filter(Files::isRegularFile).sorted().toList()) {
        digest.update(part.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        try (InputStream in = new DigestInputStream(Files.newInputStream(part), digest)) {
          in.transferTo(java.io.OutputStream.nullOutputStream());
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
