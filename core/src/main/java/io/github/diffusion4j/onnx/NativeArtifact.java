package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * ONNX Runtime's native libraries for one platform as they lie on the class path: in a jar, known
 * from its table of contents alone, or in a plain folder.
 *
 * @param resource address of the core library
 * @param entries the libraries, by file name
 * @param folder the folder they lie in, if it is a plain one
 */
record NativeArtifact(URL resource, Map<String, Entry> entries, Optional<Path> folder) {
  static final String CORE = "onnxruntime";
  static final String JNI = "onnxruntime4j_jni";
  static final String CUDA = "onnxruntime_providers_cuda";
  static final String TENSOR_RT = "onnxruntime_providers_tensorrt";

  /**
   * One library.
   *
   * @param size bytes, unpacked
   * @param crc CRC-32 of them; 0 in a plain folder
   */
  record Entry(long size, long crc) {}

  NativeArtifact {
    entries = Collections.unmodifiableMap(new TreeMap<>(entries));
  }

  /** The natives beside ONNX Runtime's classes; empty if there are none for the platform. */
  static Optional<NativeArtifact> find(Platform platform) throws IOException {
    // A class literal and its resources do not initialize the class, so no native is touched.
    String path = "/ai/onnxruntime/native/" + platform.classifier() + "/" + platform.fileName(CORE);
    URL resource = OrtEnvironment.class.getResource(path);
    return resource == null ? Optional.empty() : at(resource);
  }

  /** The natives beside the core library at an address; empty if it is neither jar nor file. */
  static Optional<NativeArtifact> at(URL resource) throws IOException {
    if (resource.getProtocol().equals("file")) {
      return Optional.of(inFolder(resource));
    }
    URLConnection connection = resource.openConnection();
    if (!(connection instanceof JarURLConnection jarConnection)) {
      return Optional.empty();
    }
    jarConnection.setUseCaches(false);
    try (JarFile jar = jarConnection.getJarFile()) {
      String core = jarConnection.getEntryName();
      return Optional.of(
          new NativeArtifact(
              resource,
              inJar(jar, core.substring(0, core.lastIndexOf('/') + 1)),
              Optional.empty()));
    }
  }

  private static Map<String, Entry> inJar(JarFile jar, String prefix) {
    Map<String, Entry> entries = new TreeMap<>();
    for (ZipEntry entry : Collections.list(jar.entries())) {
      String name = entry.getName();
      if (name.startsWith(prefix)
          && name.length() > prefix.length()
          && name.indexOf('/', prefix.length()) < 0) {
        entries.put(name.substring(prefix.length()), new Entry(entry.getSize(), entry.getCrc()));
      }
    }
    return entries;
  }

  private static NativeArtifact inFolder(URL resource) throws IOException {
    Path folder;
    try {
      folder = Path.of(resource.toURI()).toAbsolutePath().getParent();
    } catch (URISyntaxException e) {
      throw new IOException(resource + ": not a file address", e);
    }
    Map<String, Entry> entries = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        entries.put(file.getFileName().toString(), new Entry(Files.size(file), 0));
      }
    }
    return new NativeArtifact(resource, entries, Optional.of(folder));
  }

  /** Opens one library for reading; the caller closes it. */
  InputStream open(String fileName) throws IOException {
    URLConnection connection = new URL(resource, fileName).openConnection();
    connection.setUseCaches(false); // closes the jar with the stream
    return connection.getInputStream();
  }

  /** The Maven artifact by what it holds: {@code onnxruntime_gpu} if CUDA is in it. */
  String artifactId() {
    boolean cuda = entries.keySet().stream().anyMatch(name -> name.contains(CUDA));
    return cuda ? "onnxruntime_gpu" : "onnxruntime";
  }

  /** A name for a folder that changes with any file's name, size or checksum. */
  String key(Platform platform) {
    // FNV-1a: a cryptographic digest would cost a start more than all the rest of this class.
    long hash = 0xcbf29ce484222325L;
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      String line =
          entry.getKey() + ' ' + entry.getValue().size() + ' ' + entry.getValue().crc() + '\n';
      for (byte b : line.getBytes(StandardCharsets.UTF_8)) {
        hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
      }
    }
    return artifactId() + "-" + platform.classifier() + "-" + HexFormat.of().toHexDigits(hash);
  }
}
