package io.github.diffusion4j.onnx;

import java.util.Locale;

/**
 * Operating system and processor under the names that ONNX Runtime's artifacts use.
 *
 * @param os {@code linux}, {@code osx}, {@code win}, or {@code other}
 * @param arch {@code x64}, {@code aarch64}, or the JVM's own name for any other
 */
record Platform(String os, String arch) {
  static Platform current() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  /** From the JVM's {@code os.name} and {@code os.arch}. */
  static Platform of(String osName, String osArch) {
    String name = osName.toLowerCase(Locale.ROOT);
    String arch = osArch.toLowerCase(Locale.ROOT);
    String os = "other";
    if (name.contains("mac") || name.contains("darwin")) {
      os = "osx";
    } else if (name.contains("win")) {
      os = "win";
    } else if (name.contains("nux")) {
      os = "linux";
    }
    return new Platform(os, arch.equals("amd64") || arch.equals("x86_64") ? "x64" : arch);
  }

  boolean linux() {
    return os.equals("linux");
  }

  boolean windows() {
    return os.equals("win");
  }

  /** The folder of this platform in ONNX Runtime's artifacts, such as {@code linux-x64}. */
  String classifier() {
    return os + "-" + arch;
  }

  /** The file name of a library: {@code onnxruntime} is {@code libonnxruntime.so} on Linux. */
  String fileName(String library) {
    return switch (os) {
      case "win" -> library + ".dll";
      case "osx" -> "lib" + library + ".dylib";
      default -> "lib" + library + ".so";
    };
  }
}
