package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParametersTest {

  @Test
  void shapeIsChannelsHeightWidth() {
    assertEquals(new LatentShape(1, 16, 128, 96), Shapes.parse("16x128x96"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4x64", "4x64x64x1", "4x0x64", "4,64,64", "4x-1x64"})
  void otherShapesAreRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> Shapes.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"shipped", "tiny"})
  void namedModelsAreFolders(String name) {
    assertTrue(Files.isRegularFile(Models.folder(name).resolve("unet/model.onnx")));
    Path same = Models.folder(Models.folder(name).toString());
    assertEquals(Models.folder(name), same);
  }

  @Test
  void aFolderWithoutAnIndexIsTaken(@TempDir Path folder) {
    assertEquals(folder, Models.folder(folder.toString()));
  }

  @Test
  void missingModelIsNamed() {
    var e = assertThrows(IllegalArgumentException.class, () -> Models.folder("no/such/folder"));
    assertTrue(e.getMessage().contains("no/such/folder"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "1234567.8, 4, 1234568",
    "12.3456, 4, 12.35",
    "0.00012345, 2, 0.00012",
    "0, 4, 0",
    "100, 2, 100",
    "NaN, 2, NaN"
  })
  void figuresAreRoundedToTheDigitsThatCount(double value, int digits, String text) {
    assertEquals(text, Column.rounded(value, digits));
  }

  @Test
  void tuningSetsSessionOptions() {
    RuntimeOptions options =
        Tuning.apply(
                "arena=false+spinning=false+optimization=basic+session.disable_prepacking=1",
                RuntimeOptions.builder())
            .build();
    assertEquals(
        RuntimeOptions.builder()
            .memoryArena(false)
            .spinning(false)
            .optimization(RuntimeOptions.Optimization.BASIC)
            .sessionConfig("session.disable_prepacking", "1")
            .build(),
        options);
    assertEquals(
        RuntimeOptions.defaults(), Tuning.apply(Tuning.DEFAULT, RuntimeOptions.builder()).build());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "arena", "arena=no", "speed=high", "optimization=most"})
  void otherTuningIsRefused(String text) {
    assertThrows(
        IllegalArgumentException.class, () -> Tuning.apply(text, RuntimeOptions.builder()));
  }

  @Test
  void peakIsReadFromTheKernelsStatus(@TempDir Path folder) throws IOException {
    String more = "VmRSS:\t  1024 kB\nRssFile:\t 512 kB\n";
    Path status =
        Files.writeString(folder.resolve("status"), "Name:\tjava\nVmHWM:\t  2048 kB\n" + more);
    assertEquals(List.of(2.0), PeakMemory.mebibytes(status).toList());
    assertEquals(new ProcessMemory(1 << 20, 2 << 20, 1 << 19), ProcessMemory.of(status));
    assertEquals(List.of(), PeakMemory.mebibytes(folder.resolve("none")).toList());
    Path empty = Files.createFile(folder.resolve("empty"));
    assertThrows(IOException.class, () -> ProcessMemory.of(empty));
  }
}
