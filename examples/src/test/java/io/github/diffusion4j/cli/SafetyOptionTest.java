package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.image.PictureFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line with a model that has a safety checker. */
class SafetyOptionTest {

  private static final Path GOLDENS = Path.of("../core/src/test/resources/goldens/pipelines");

  @TempDir Path folder;

  @BeforeEach
  void modelWithChecker() throws IOException {
    for (String part : new String[] {"sd15", "safety-checker"}) {
      Path model = GOLDENS.resolve(part).resolve("model");
      try (Stream<Path> files = Files.walk(model)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path copy = folder.resolve("model").resolve(model.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
    Path index = folder.resolve("model/model_index.json");
    Files.writeString(
        index,
        Files.readString(index)
            .replaceFirst(
                "\"safety_checker\": \\[\\s*null,\\s*null",
                "\"safety_checker\": [\"diffusers\", \"OnnxRuntimeModel\""));
  }

  private Run paint(String... more) {
    Stream<String> given =
        Stream.of("generate", "red", "--seed=2", "--steps=6", "--guidance=1", "--width=64");
    Stream<String> where =
        Stream.of(
            "--height=64", "--model=" + folder.resolve("model"), "--out=" + folder + "/x.png");
    return Run.of(Stream.of(given, where, Stream.of(more)).flatMap(s -> s).toArray(String[]::new));
  }

  private boolean black() throws IOException {
    BufferedImage image = PictureFile.read(folder.resolve("x.png"));
    return Arrays.stream(image.getRGB(0, 0, 64, 64, null, 0, 64))
        .allMatch(pixel -> pixel == 0xff000000);
  }

  @Test
  void flaggedPicturesAreBlackAndTold() throws IOException {
    Run run = paint();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("flagged by the safety checker"), run.out());
    assertTrue(black());
  }

  @Test
  void checkerCanBeTurnedOff() throws IOException {
    Run run = paint("--no-safety-checker");
    assertEquals(0, run.code(), run.err());
    assertFalse(run.out().contains("flagged"), run.out());
    assertFalse(black());
  }

  @Test
  void checkerIsNotTurnedOffAndUsedAtOnce() {
    Run run = paint("--no-safety-checker", "--safety=report");
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains("--no-safety-checker means --safety off"), run.err());
    assertEquals(0, paint("--no-safety-checker", "--safety=off").code());
  }

  @Test
  void inspectCountsTheChecker() throws IOException {
    JsonNode plain = memory(GOLDENS.resolve("sd15/model"));
    JsonNode checked = memory(folder.resolve("model"));
    long checker = checked.path("weights_bytes").path("safety_checker").asLong();
    assertTrue(checker > 0);
    assertEquals(peak(plain) + checker, peak(checked));
  }

  private static JsonNode memory(Path model) throws IOException {
    Run run = Run.of("inspect", model.toString(), "--json");
    assertEquals(0, run.code(), run.err());
    return new JsonMapper().readTree(run.out()).path("memory");
  }

  /** Of the plan that keeps all networks resident. */
  private static long peak(JsonNode memory) {
    return memory.path("plans").path(0).path("peak_bytes").asLong();
  }

  @Test
  void policyCanBeChosen() throws IOException {
    Run run = paint("--safety=report", "--json");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("\"flagged\":true"), run.out());
    assertFalse(black());
    run = paint("--safety=perhaps");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("expected black, blur, report or off"), run.err());
  }
}
