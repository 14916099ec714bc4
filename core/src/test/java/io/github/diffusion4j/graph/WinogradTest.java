package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A UNet as wide as those of models in use, but with few layers, with and without the method. */
class WinogradTest {

  private static final String CONFIG =
      """
      {"_class_name": "UNet2DConditionModel", "sample_size": [64, 64], "in_channels": 4,
       "out_channels": 4, "block_out_channels": [192, 224], "layers_per_block": 1,
       "down_block_types": ["DownBlock2D", "DownBlock2D"], "mid_block_type": null,
       "up_block_types": ["UpBlock2D", "UpBlock2D"]}
      """;

  /** Kernels of the finest level are taken 4 times as large, those of the other 2.7 times. */
  private static final long COMPUTED =
      Float.BYTES
          * ((36 - 9) * (4L * 192 * 192 + (416 + 384) * 192 + 224 * 224)
              + (24 - 9) * (192L * 224 + 3 * 224 * 224 + (448 + 416) * 224));

  @TempDir Path folder;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @Test
  void aWholeNetworkGivesTheSame() throws IOException {
    Files.writeString(folder.resolve("config.json"), CONFIG);
    UNet unet = UNet.of(ConfigFile.read(folder, "config.json"));
    Path file = folder.resolve("diffusion_pytorch_model.safetensors");
    Random random = new Random(20261123);
    SafetensorsWriter writer = new SafetensorsWriter();
    for (Map.Entry<String, List<Long>> parameter : Parameters.of(unet).entrySet()) {
      List<Long> shape = parameter.getValue();
      int count = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
      writer.add(parameter.getKey(), shape, normal(random, count, (int) (count / shape.get(0))));
    }
    writer.write(file);
    BuiltNetwork network = new BuiltNetwork("unet", unet, WeightSource.of(file));
    assertEquals(COMPUTED, network.computedBytes(List.of(), true));
    assertEquals(0, network.computedBytes(List.of(), false));
    float[] latents = normal(random, 2 * 4 * 15 * 10, 1);
    float[] plain = run(network, false, latents);
    float[] quick = run(network, true, latents);
    double error = 0;
    double spread = 0;
    for (int i = 0; i < plain.length; i++) {
      error += Math.pow(plain[i] - quick[i], 2);
      spread += Math.pow(plain[i], 2);
    }
    assertTrue(error > 0, "another method");
    assertTrue(error < 1e-11 * spread, error + " of " + spread);
  }

  private static float[] run(BuiltNetwork network, boolean winograd, float[] latents)
      throws IOException {
    RuntimeOptions options = RuntimeOptions.builder().winograd(winograd).build();
    try (OrtModel model = OrtRuntime.of(options).open("unet", network, List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("sample", 2, 4, 15, 10).put(latents);
      binding.input("timestep").put(new float[] {500});
      return binding.fetch(Set.of(UNet.OUTPUT)).get(UNet.OUTPUT).values();
    }
  }

  private static float[] normal(Random random, int count, int inputs) {
    float[] values = GoldenNetworks.gaussians(random, count);
    for (int i = 0; i < count; i++) {
      values[i] = (float) (values[i] / Math.sqrt(inputs));
    }
    return values;
  }
}
