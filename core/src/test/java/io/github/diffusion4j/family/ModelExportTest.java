package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsWriter;
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
  void aLoraOfAnotherKindOfModelIsRefusedAsWhenItIsLoaded() throws IOException {
    Path flux = Goldens.resource("/goldens/lora-transformers/flux/lora_peft.safetensors");
    Path whole = Goldens.resource("/goldens/pipelines/sd15-clip-skip/model");
    Path xl = folder.resolve("xl.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.add("lora_unet_add_embedding_linear_1.lora_down.weight", List.of(1L, 2L), new float[2]);
    writer.add("lora_unet_add_embedding_linear_1.lora_up.weight", List.of(2L, 1L), new float[2]);
    writer.write(xl);
    for (Path lora : List.of(flux, xl)) {
      ModelLayout layout = ModelLayout.of(whole).withLoras(List.of(Lora.of(lora)));
      ModelExport export = new ModelExport(layout, Precision.STORED);
      String refused =
          assertThrows(ModelFormatException.class, () -> export.write(folder.resolve("out")))
              .getMessage();
      OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.defaults());
      String loaded =
          assertThrows(ModelFormatException.class, () -> Families.of(layout).open(layout, runtime))
              .getMessage();
      String networks = "only \\[.*?\\]"; // in whatever order
      assertEquals(loaded.replaceAll(networks, ""), refused.replaceAll(networks, ""));
      assertTrue(refused.contains("for another kind of model"), refused);
    }
    assertEquals(List.of("xl.safetensors"), names(folder));
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
