package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model with random weights is whole, and two of its kind can be compared. */
class RandomModelTest {

  private static final String CONFIG =
      """
      {"block_out_channels": [8, 16], "norm_num_groups": 4, "cross_attention_dim": 16,
       "attention_head_dim": 4, "layers_per_block": 1,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"]}
      """;

  @TempDir Path folder;

  private Path model(String name, String... more) throws IOException {
    Path given = folder.resolve("given");
    Files.createDirectories(given.resolve("unet"));
    Files.writeString(given.resolve("unet/config.json"), CONFIG);
    Files.writeString(
        given.resolve("model_index.json"), "{\"unet\": [\"diffusers\", \"UNet2DConditionModel\"]}");
    String[] args = new String[2 + more.length];
    args[0] = given.toString();
    args[1] = folder.resolve(name).toString();
    System.arraycopy(more, 0, args, 2, more.length);
    RandomModel.main(args);
    return folder.resolve(name).resolve("unet");
  }

  @Test
  void weightsAreOfTheSaidDistribution() throws IOException {
    Path file = model("whole").resolve("diffusion_pytorch_model.safetensors");
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      float[] values = tensors.floats("down_blocks.1.resnets.0.conv1.weight"); // 72 inputs
      double squares = 0;
      for (float value : values) {
        squares += value * value;
      }
      assertEquals(1.0 / 72, squares / values.length, 0.1 / 72);
      assertEquals(1, tensors.floats("conv_norm_out.weight")[3]);
      assertEquals(0, tensors.floats("conv_norm_out.bias")[3]);
    }
    assertThrows(IOException.class, () -> model("whole"));
  }

  @Test
  void twoOfThemAreCompared() throws IOException {
    Path single = model("single", "F32", "5");
    Path half = model("half", "F16", "5");
    assertTrue(
        Files.size(half.resolve("diffusion_pytorch_model.safetensors"))
            < Files.size(single.resolve("diffusion_pytorch_model.safetensors")));
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      NetworkPair.main(single.toString(), single.toString(), "1", "2", "8", "1");
    } finally {
      System.setOut(before);
    }
    String[] lines = out.toString(StandardCharsets.UTF_8).split("\\R");
    assertEquals(3, lines.length, out::toString);
    assertTrue(lines[2].startsWith("second to first: processor time"), lines[2]);
    assertEquals(lines[0].replaceAll(".*sum", ""), lines[1].replaceAll(".*sum", ""));
  }
}
