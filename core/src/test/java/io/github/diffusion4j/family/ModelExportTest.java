package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions.Precision;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelExportTest {

  @TempDir Path folder;

  private final Path model = Goldens.resource("/goldens/pipelines/weights/sd15");

  private List<String> names(Path of) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void writesTheLayoutOfTheHub() throws IOException {
    Path out = Files.createDirectory(folder.resolve("out"));
    new ModelExport(ModelLayout.of(model), Precision.STORED).write(out);
    assertEquals(
        List.of(
            "model_index.json", "scheduler", "text_encoder", "unet", "vae_decoder", "vae_encoder"),
        names(out));
    assertEquals(List.of("config.json", "model.onnx"), names(out.resolve("unet")));
    assertEquals(List.of("out"), names(folder));
    ModelLayout layout = ModelLayout.of(out);
    assertEquals("ORTStableDiffusionPipeline", layout.pipelineClass());
    assertEquals("stable-diffusion", Families.of(layout).name());
  }

  @Test
  void leavesWhatIsThere() throws IOException {
    Files.writeString(folder.resolve("mine.txt"), "mine");
    ModelExport export = new ModelExport(ModelLayout.of(model), Precision.STORED);
    IOException thrown = assertThrows(FileAlreadyExistsException.class, () -> export.write(folder));
    assertTrue(thrown.getMessage().contains("not empty"), thrown.getMessage());
    assertThrows(FileAlreadyExistsException.class, () -> export.write(folder.resolve("mine.txt")));
    assertEquals(List.of("mine.txt"), names(folder));
  }

  @Test
  void leavesNothingBehindWhenItFails() throws IOException {
    Path broken = folder.resolve("broken");
    try (Stream<Path> files = Files.walk(model)) {
      for (Path file : files.toList()) {
        Files.copy(file, broken.resolve(model.relativize(file).toString()));
      }
    }
    Files.delete(broken.resolve("vae/diffusion_pytorch_model.safetensors"));
    ModelExport export = new ModelExport(ModelLayout.of(broken), Precision.STORED);
    assertThrows(ModelFormatException.class, () -> export.write(folder.resolve("out")));
    assertEquals(List.of("broken"), names(folder));
  }
}
