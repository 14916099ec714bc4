package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How latents are scaled between denoiser and autoencoder, with a decoder that copies them. */
class OrtLatentCodecTest {

  private static final LatentShape SHAPE = new LatentShape(2, 3, 1, 2);
  private static final float[] LATENTS = {1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6};

  @TempDir Path folder;

  private Autoencoder open(String config) throws IOException {
    Files.createDirectories(folder.resolve("vae_decoder"));
    Files.write(
        folder.resolve("vae_decoder/model.onnx"),
        new TinyOnnx()
            .input("latent_sample", TinyOnnx.FLOAT, -1, 3, -1, -1)
            .output("sample", TinyOnnx.FLOAT, -1, 3, -1, -1)
            .node("Identity", "sample", "latent_sample")
            .bytes());
    Files.writeString(
        folder.resolve("vae_decoder/config.json"),
        "{\"block_out_channels\": [8], \"latent_channels\": 3, " + config + "}");
    return Autoencoder.load(folder, RuntimeOptions.defaults());
  }

  private static void decodesAndScalesBack(Autoencoder autoencoder, float... expected) {
    float[] decoded = autoencoder.decode(LATENTS, SHAPE, new CancelToken()).values();
    assertArrayEquals(expected, decoded, 1e-5f);
    float[] back = decoded.clone();
    autoencoder.scale(back, SHAPE);
    assertArrayEquals(LATENTS, back, 1e-5f);
  }

  @Test
  void scalingAndShift() throws IOException {
    try (Autoencoder autoencoder = open("\"scaling_factor\": 0.5, \"shift_factor\": 10")) {
      decodesAndScalesBack(autoencoder, 12, 8, 14, 6, 16, 4, 18, 2, 20, 0, 22, -2);
    }
  }

  @Test
  void measuredLatentsAreScaledByChannel() throws IOException {
    try (Autoencoder autoencoder =
        open(
            "\"scaling_factor\": 0.5, \"latents_mean\": [0, 1, 100],"
                + " \"latents_std\": [0.5, 1, 2]")) {
      decodesAndScalesBack(autoencoder, 1, -1, 5, -3, 112, 88, 4, -4, 11, -9, 124, 76);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"latents_mean\": [0, 1], \"latents_std\": [1, 1, 1]",
        "\"latents_mean\": [0, 1, 2], \"latents_std\": [1, 0, 1]",
        "\"latents_mean\": [0, 1, \"2\"], \"latents_std\": [1, 1, 1]",
        "\"latents_mean\": 3, \"latents_std\": [1, 1, 1]"
      })
  void wrongMeasurementsAreRefused(String config) {
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> open(config).close());
    assertTrue(thrown.getMessage().contains("latents_"), thrown.getMessage());
  }
}
