package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Starts ONNX Runtime in a JVM of its own and prints where its libraries came from. */
final class NativeProbe {
  private NativeProbe() {}

  public static void main(String[] arguments) throws IOException {
    NativeLibraries.Location location = NativeLibraries.current().location();
    System.out.println("environment=" + environmentInTrial());
    String version = OrtEnvironment.getEnvironment().getVersion();
    System.out.println("source=" + location.source());
    System.out.println("folder=" + location.folder().map(Path::toString).orElse(""));
    System.out.println("why=" + location.why());
    System.out.println("version=" + version);
    System.out.println("copied=" + bytesIn(Path.of(System.getProperty("java.io.tmpdir"))));
    System.out.println("trial=" + ProviderTrial.failure(options -> {}).orElse("passed"));
  }

  /** Whether a trial that is the first use of ONNX Runtime adds its provider to a ready one. */
  private static boolean environmentInTrial() {
    boolean[] ready = new boolean[1];
    ProviderTrial.failure(
        options -> {
          try {
            Field instance = OrtEnvironment.class.getDeclaredField("INSTANCE");
            instance.setAccessible(true);
            ready[0] = instance.get(null) != null;
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
          }
        });
    return ready[0];
  }

  private static long bytesIn(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}
