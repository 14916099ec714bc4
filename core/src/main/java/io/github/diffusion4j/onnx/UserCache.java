package io.github.diffusion4j.onnx;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Where files that can be made again are kept for one user: {@code -Ddiffusion4j.cache}, else
 * {@code $DIFFUSION4J_CACHE}, else the operating system's place for caches.
 *
 * @param property system properties by name; null where not set
 * @param environment environment variables by name; null where not set
 * @param platform decides the default place
 */
record UserCache(
    UnaryOperator<String> property, UnaryOperator<String> environment, Platform platform) {
  static final String PROPERTY = "diffusion4j.cache";
  static final String VARIABLE = "DIFFUSION4J_CACHE";

  static UserCache current() {
    return new UserCache(System::getProperty, System::getenv, Platform.current());
  }

  /** The folder, absolute, existing or not; empty if the user has no home. */
  Optional<Path> folder() {
    return path(property.apply(PROPERTY))
        .or(() -> path(environment.apply(VARIABLE)))
        .map(Path::toAbsolutePath)
        .or(() -> base().filter(Path::isAbsolute).map(base -> base.resolve("diffusion4j")))
        .map(Path::normalize);
  }

  private Optional<Path> base() {
    return switch (platform.os()) {
      case "win" -> path(environment.apply("LOCALAPPDATA")).or(() -> home("AppData", "Local"));
      case "osx" -> home("Library", "Caches");
      default ->
          path(environment.apply("XDG_CACHE_HOME"))
              .filter(Path::isAbsolute)
              .or(() -> home(".cache"));
    };
  }

  private Optional<Path> home(String... below) {
    Optional<Path> folder = path(property.apply("user.home"));
    for (String name : below) {
      folder = folder.map(parent -> parent.resolve(name));
    }
    return folder;
  }

  private static Optional<Path> path(String text) {
    if (text == null || text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(text));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
