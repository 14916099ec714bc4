package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model whose UNet has 8-bit weights loads like any other and paints nearly the same. */
class QuantizedModelTest {

  /** 8 bits for weights that 32 were made for: this network paints at 28 dB. */
  private static final double LEAST_DECIBELS = 25;

  @TempDir private Path folder;

  @Test
  void paintsNearlyTheSame() throws IOException {
    int before = NativeCount.open();
    ModelCopy copy = ModelCopy.in(folder);
    copy.copy(Goldens.resource("/quantized/unet.onnx"), "unet/model.onnx");
    float[] exact = paint(ModelCopy.original());
    float[] quantized = paint(copy.file(""));
    double squares = 0;
    for (int i = 0; i < exact.length; i++) {
      squares +=
          Math.pow(
              Math.max(-1, Math.min(1, exact[i])) - Math.max(-1, Math.min(1, quantized[i])), 2);
    }
    assertTrue(squares > 0, "the quantized network ran");
    double decibels = 10 * Math.log10(4 * exact.length / squares);
    assertTrue(decibels >= LEAST_DECIBELS, decibels + " dB");
    assertArrayEquals(quantized, paint(copy.file("")), 0f);
    assertEquals(before, NativeCount.open());
  }

  private static float[] paint(Path model) throws IOException {
    Recording recording = new Recording();
    RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).build();
    try (var pipeline = StableDiffusionPipeline.load(model, options)) {
      pipeline.generate(
          GenerationRequest.prompt("a cat").steps(4).size(64, 64).seed(1).build(), recording);
    }
    return recording.image;
  }
}
