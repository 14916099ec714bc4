package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UserCacheTest {
  private final Map<String, String> properties = new HashMap<>(Map.of("user.home", "/home/ada"));
  private final Map<String, String> environment = new HashMap<>();

  private Optional<Path> folder(String os) {
    Platform platform = new Platform(os, "x64");
    return new UserCache(properties::get, environment::get, platform).folder();
  }

  @Test
  void followsTheSystemsCustom() {
    assertEquals(Optional.of(Path.of("/home/ada/.cache/diffusion4j")), folder("linux"));
    assertEquals(Optional.of(Path.of("/home/ada/Library/Caches/diffusion4j")), folder("osx"));
    assertEquals(Optional.of(Path.of("/home/ada/AppData/Local/diffusion4j")), folder("win"));
    environment.put("LOCALAPPDATA", "/local");
    environment.put("XDG_CACHE_HOME", "/xdg");
    assertEquals(Optional.of(Path.of("/xdg/diffusion4j")), folder("linux"));
    assertEquals(Optional.of(Path.of("/local/diffusion4j")), folder("win"));
  }

  @Test
  void relativeOrBlankXdgFolderIsIgnored() {
    environment.put("XDG_CACHE_HOME", "relative");
    assertEquals(Optional.of(Path.of("/home/ada/.cache/diffusion4j")), folder("linux"));
    environment.put("XDG_CACHE_HOME", " ");
    assertEquals(Optional.of(Path.of("/home/ada/.cache/diffusion4j")), folder("linux"));
  }

  @Test
  void ownSettingsWin() {
    environment.put("XDG_CACHE_HOME", "/xdg");
    environment.put(UserCache.VARIABLE, "/variable");
    assertEquals(Optional.of(Path.of("/variable")), folder("linux"));
    properties.put(UserCache.PROPERTY, "/property");
    assertEquals(Optional.of(Path.of("/property")), folder("linux"));
  }

  @Test
  void userWithoutHomeHasNone() {
    properties.put("user.home", "?");
    assertEquals(Optional.empty(), folder("linux"));
    properties.remove("user.home");
    assertEquals(Optional.empty(), folder("linux"));
  }
}
