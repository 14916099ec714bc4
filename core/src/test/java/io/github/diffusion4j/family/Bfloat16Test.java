package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Networks whose weights are stored as BFLOAT16, which accelerators then compute in: their graphs
 * must be valid, though the processor lacks the operators of some.
 */
class Bfloat16Test {

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().precision(Precision.BFLOAT16).build());

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @ParameterizedTest
  @CsvSource({
    "sd15, unet",
    "sdxl, unet",
    "sd15, vae_decoder",
    "sd15, vae_encoder",
    "sd3, vae_decoder",
  })
  void networksWithConvolutionsTakeAnotherPrecision(String model, String component)
      throws IOException {
    try (OrtModel network = network(model, component).open(RUNTIME, List.of())) {
      assertEquals(component, network.component());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "sd15, text_encoder",
    "sdxl, text_encoder_2",
    "sd3, text_encoder_3",
    "sd3, transformer",
  })
  void othersAreValidAndOnlyLackOperatorsOnTheProcessor(String model, String component)
      throws IOException {
    ComponentNetwork network = network(model, component);
    String message =
        assertThrows(ModelFormatException.class, () -> network.open(RUNTIME, List.of()))
            .getMessage();
    assertTrue(message.contains("NOT_IMPLEMENTED"), message);
    assertTrue(message.contains("choose another, such as fp32"), message);
  }

  private static ComponentNetwork network(String model, String component) throws IOException {
    return ModelLayout.of(Goldens.folder("pipelines").resolve("weights").resolve(model))
        .network(component);
  }
}
