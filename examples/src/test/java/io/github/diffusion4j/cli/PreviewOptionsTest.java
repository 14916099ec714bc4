package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.image.PictureFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreviewOptionsTest {

  private static final String TINY = "models/emoji-ldm";

  @TempDir private Path folder;

  private Run generate(CancelToken cancel, String... more) {
    List<String> args =
        Stream.concat(
                Stream.of("generate", "a red apple", "--steps=4", "--out", at("apple.png") + ""),
                Stream.of(more))
            .toList();
    return Run.of(Screen.NONE, cancel, args.toArray(String[]::new));
  }

  private Path at(String name) {
    return folder.resolve(name);
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--preview-model=" + TINY})
  void thePreviewGoesWhenThePictureIsThere(String model) throws IOException {
    Run run =
        model.isEmpty()
            ? generate(new CancelToken(), "--preview=1")
            : generate(new CancelToken(), "--preview=1", model);
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("apple.png"), files());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", TINY})
  void aCancelledPaintingLeavesItsPreview(String model) throws Exception {
    CancelToken cancel = new CancelToken();
    Thread watcher =
        new Thread(
            () -> {
              while (!Files.exists(at("apple.preview.png"))) {
                Thread.onSpinWait();
              }
              cancel.cancel();
            },
            "watcher");
    watcher.setDaemon(true);
    watcher.start();
    String[] options =
        model.isEmpty()
            ? new String[] {"--preview=2", "--steps=200"}
            : new String[] {"--preview=2", "--steps=200", "--preview-model=" + model};
    Run run = Run.of(Screen.NONE, cancel, arguments(options));
    watcher.join();
    assertNotEquals(0, run.code());
    assertEquals(List.of("apple.preview.png"), files());
    BufferedImage preview = PictureFile.read(at("apple.preview.png"));
    assertEquals(128, preview.getWidth());
    assertEquals(128, preview.getHeight());
  }

  private String[] arguments(String... options) {
    return Stream.concat(
            Stream.of("generate", "a red apple", "--out=" + at("apple.png")), Stream.of(options))
        .toArray(String[]::new);
  }

  @Test
  void previewsOfOtherLatentsAreRefused() {
    Run run =
        generate(
            new CancelToken(),
            "--preview=1",
            "--preview-model=../core/src/test/resources/goldens/pipelines/taesd/model");
    assertNotEquals(0, run.code());
    assertTrue(run.err().contains("32"), run.err());
    assertFalse(Files.exists(at("apple.png")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"--preview=0", "--preview-model=x", "--vae-tiling=maybe", "--vae-tiling=0"})
  void wrongOptionsAreNamed(String option) {
    Run run = generate(new CancelToken(), option);
    assertNotEquals(0, run.code());
    assertTrue(run.err().contains(option.substring(0, option.indexOf('='))), run.err());
  }

  @Test
  void tilesAreToldInThePicture() throws IOException {
    Run run = generate(new CancelToken(), "--vae-tiling=64");
    assertEquals(0, run.code(), run.err());
    Map<String, String> texts = PictureFile.readTexts(at("apple.png"));
    assertTrue(texts.values().stream().anyMatch(text -> text.contains("\"decode_tiles\":9")));
  }
}
