package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.family.MemoryNeeds;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.graph.Parameters;
import io.github.diffusion4j.graph.UNet;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A memory limit and a UNet so wide that its kernels are held in a larger form. */
class WideModelBudgetTest {

  private static final String CONFIG =
      """
      {"_class_name": "UNet2DConditionModel", "sample_size": 64, "in_channels": 4,
       "out_channels": 4, "block_out_channels": [192, 192], "layers_per_block": 1,
       "down_block_types": ["DownBlock2D", "DownBlock2D"], "mid_block_type": null,
       "up_block_types": ["UpBlock2D", "UpBlock2D"]}
      """;

  @Test
  void kernelsStaySmallWhereLargeOnesDoNotFit(@TempDir Path folder) throws IOException {
    ModelLayout layout = ModelLayout.of(model(folder.resolve("model")));
    RuntimeOptions plain = RuntimeOptions.builder().winograd(false).build();
    long small = MemoryNeeds.BASE + MemoryNeeds.of(layout, plain).alwaysResident();
    long large =
        MemoryNeeds.BASE + MemoryNeeds.of(layout, RuntimeOptions.defaults()).alwaysResident();
    assertTrue(large > small, large + " and " + small);
    assertTrue(budget(layout, large + 1).fitted().winograd());
    MemoryBudget tight = budget(layout, large);
    assertFalse(tight.fitted().winograd());
    assertEquals(small, MemoryNeeds.BASE + tight.needs().alwaysResident(), "the estimate as well");
  }

  private static MemoryBudget budget(ModelLayout layout, long limit) throws IOException {
    return MemoryBudget.of(layout, RuntimeOptions.builder().memoryLimit(limit).build())
        .orElseThrow();
  }

  private static Path model(Path folder) throws IOException {
    ModelCopy.of(Goldens.resource("/goldens/pipelines/weights/sd15"), folder);
    Path unet = folder.resolve("unet");
    Files.writeString(unet.resolve("config.json"), CONFIG);
    SafetensorsWriter weights = new SafetensorsWriter();
    UNet wide = UNet.of(ConfigFile.read(unet, "config.json"));
    for (Map.Entry<String, List<Long>> parameter : Parameters.of(wide).entrySet()) {
      long count = parameter.getValue().stream().reduce(1L, Math::multiplyExact);
      weights.add(parameter.getKey(), parameter.getValue(), new float[Math.toIntExact(count)]);
    }
    weights.write(unet.resolve("diffusion_pytorch_model.safetensors"));
    return folder;
  }
}
