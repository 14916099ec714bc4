package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Puts ONNX Runtime's native libraries into a per-user cache once, and points ONNX Runtime at them,
 * so that a start copies nothing. Left alone, ONNX Runtime copies them out of its jar into the
 * temporary folder at every start (up to 600 MB).
 *
 * <p>The folder is named by the content of the jar's table of contents; a file gets its name there
 * only after it was written whole and its checksum agreed, so two JVMs at once do no harm. Large
 * provider libraries are unpacked when first asked for. A path that the user set is respected, and
 * where the cache cannot be used ONNX Runtime unpacks by itself: nothing here stops a start. {@link
 * #current()} must be called before the first use of any class of ONNX Runtime. Thread-safe.
 */
final class NativeLibraries implements CudaDiagnosis.ProviderFiles {
  /** ONNX Runtime's property: the folder to load its libraries from. */
  static final String PATH_PROPERTY = "onnxruntime.native.path";

  private static final Logger LOG = System.getLogger(NativeLibraries.class.getName());

  /** Where the libraries come from. */
  enum Source {
    /** The user's own setting. */
    USER,
    /** This class's cache. */
    CACHE,
    /** A plain folder on the class path. */
    CLASS_PATH,
    /** ONNX Runtime's own copy in the temporary folder, or the system's library path. */
    ONNX_RUNTIME
  }

  /**
   * Where the libraries come from and why.
   *
   * @param folder the folder, where it is known before ONNX Runtime starts
   * @param why one sentence
   */
  record Location(Source source, Optional<Path> folder, String why) {}

  private static final class Current {
    static final NativeLibraries INSTANCE = open();

    private static NativeLibraries open() {
      Platform platform = Platform.current();
      Optional<NativeArtifact> artifact = Optional.empty();
      try {
        artifact = NativeArtifact.find(platform);
      } catch (IOException e) {
        LOG.log(Level.WARNING, "The ONNX Runtime jar cannot be read", e);
      }
      return new NativeLibraries(platform, artifact, UserCache.current());
    }
  }

  private final Platform platform;
  private final Optional<NativeArtifact> artifact;
  private final Location location;

  NativeLibraries(Platform platform, Optional<NativeArtifact> artifact, UserCache cache) {
    this.platform = platform;
    this.artifact = artifact;
    this.location = prepare(cache);
    if (location.source() == Source.CACHE || location.source() == Source.CLASS_PATH) {
      System.setProperty(PATH_PROPERTY, location.folder().orElseThrow().toString());
    }
  }

  /** The libraries of this JVM; the first call prepares them. */
  static NativeLibraries current() {
    return Current.INSTANCE;
  }

  /** Where the libraries come from; fixed from the first call on. */
  Location location() {
    return location;
  }

  /** What the class path holds for this platform. */
  Optional<NativeArtifact> artifact() {
    return artifact;
  }

  /**
   * The file of a library, unpacked first if need be.
   *
   * @param library bare name, such as {@code onnxruntime_providers_cuda}
   * @return empty if this ONNX Runtime does not have it, or only ONNX Runtime itself unpacks it
   * @throws IOException if it cannot be unpacked
   */
  @Override
  public Optional<Path> library(String library) throws IOException {
    String fileName = platform.fileName(library);
    if (location.folder().isEmpty()) {
      return Optional.empty();
    }
    Path folder = location.folder().orElseThrow();
    if (location.source() == Source.CACHE) {
      NativeArtifact jar = artifact.orElseThrow();
      if (!jar.entries().containsKey(fileName)) {
        return Optional.empty();
      }
      new NativeUnpacker(jar, folder).ensure(fileName);
    }
    return Optional.of(folder.resolve(fileName)).filter(Files::isRegularFile);
  }

  /** Whether this ONNX Runtime brings a library, unpacked yet or not. */
  @Override
  public boolean has(String library) {
    String fileName = platform.fileName(library);
    boolean inFolder =
        location.folder().map(path -> Files.isRegularFile(path.resolve(fileName))).orElse(false);
    boolean inJar = artifact.map(jar -> jar.entries().containsKey(fileName)).orElse(false);
    return inFolder || (inJar && location.source() != Source.USER);
  }

  private Location prepare(UserCache cache) {
    Optional<Path> target =
        artifact.flatMap(jar -> cache.folder().map(base -> base.resolve(folderName(jar))));
    Optional<Location> user = setByUser(target);
    if (user.isPresent()) {
      return user.get();
    }
    if (artifact.isEmpty()) {
      return byOnnxRuntime("no libraries for " + platform.classifier() + " are on the class path");
    }
    Optional<Path> plain = artifact.get().folder();
    if (plain.isPresent()) {
      return new Location(Source.CLASS_PATH, plain, "a plain folder on the class path");
    }
    if (target.isEmpty()) {
      return byOnnxRuntime("the user has no home folder; set -D" + UserCache.PROPERTY + "=FOLDER");
    }
    try {
      boolean unpacked = new NativeUnpacker(artifact.get(), target.get()).ensureCore();
      return new Location(
          Source.CACHE, target, unpacked ? "unpacked now, once" : "unpacked by an earlier start");
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.DEBUG, "No native cache", e);
      return byOnnxRuntime("the cache cannot be used: " + NativeUnpacker.sentence(e));
    }
  }

  private Location byOnnxRuntime(String why) {
    if (artifact.isPresent()) {
      LOG.log(Level.WARNING, "ONNX Runtime unpacks its libraries at each start: {0}", why);
    }
    return new Location(Source.ONNX_RUNTIME, Optional.empty(), why);
  }

  private String folderName(NativeArtifact jar) {
    return "natives/" + jar.key(platform);
  }

  /** A setting of ONNX Runtime's, unless an earlier copy of this class made it. */
  private static Optional<Location> setByUser(Optional<Path> target) {
    String path = System.getProperty(PATH_PROPERTY);
    if (path != null && !target.map(Path::toString).equals(Optional.of(path))) {
      return Optional.of(
          new Location(Source.USER, Optional.of(Path.of(path)), "-D" + PATH_PROPERTY));
    }
    for (String library : List.of(NativeArtifact.CORE, NativeArtifact.JNI)) {
      for (String setting : List.of("path", "skip")) {
        String name = "onnxruntime.native." + library + "." + setting;
        if (System.getProperty(name) != null) {
          return Optional.of(new Location(Source.USER, Optional.empty(), "-D" + name));
        }
      }
    }
    return Optional.empty();
  }
}
