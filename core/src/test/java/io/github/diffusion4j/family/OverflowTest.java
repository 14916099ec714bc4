package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Decoding;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An autoencoder in 16-bit floats that overflows, as the one of Stable Diffusion XL does. */
class OverflowTest {

  private static final short TWO = 0x4000; // binary16

  @TempDir private Path folder;
  private int open;

  @BeforeEach
  void count() {
    open = NativeCount.open();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(open, NativeCount.open());
  }

  /** Gives 2x by way of 2x · x in binary16, which overflows from x = 181 on. */
  private Autoencoder doubling(int outer, VaeTiling tiling) throws IOException {
    TinyOnnx model =
        new TinyOnnx()
            .input("latent_sample", outer, -1, 3, -1, -1)
            .output("sample", outer, -1, 3, -1, -1)
            .constant(
                "two",
                TinyOnnx.FLOAT16,
                ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(TWO).array(),
                1);
    model
        .cast("x", "latent_sample", TinyOnnx.FLOAT16)
        .node("Mul", "twice", "x", "two")
        .node("Mul", "square", "twice", "x")
        .node("Shape", "shape", "x")
        // Two nodes that every provider runs on binary16 as it lies in memory: the overflow stays.
        .node("Reshape", "same", "square", "shape")
        .node("Expand", "kept", "same", "shape")
        .node("Div", "back", "kept", "x")
        .cast("sample", "back", outer);
    return autoencoder(model, tiling);
  }

  private Autoencoder autoencoder(TinyOnnx model, VaeTiling tiling) throws IOException {
    Path decoder = Files.createDirectories(folder.resolve("vae_decoder"));
    Files.write(decoder.resolve("model.onnx"), model.bytes());
    Files.writeString(
        decoder.resolve("config.json"),
        "{\"block_out_channels\": [8], \"latent_channels\": 3, \"scaling_factor\": 1}");
    return Autoencoder.load(
        folder, RuntimeOptions.builder().intraOpThreads(1).vaeTiling(tiling).build());
  }

  private static float[] doubled(float[] values) {
    float[] twice = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      twice[i] = 2 * values[i];
    }
    return twice;
  }

  private static float[] filled(float... pictures) {
    float[] values = new float[12 * pictures.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = pictures[i / 12] + i % 3;
    }
    return values;
  }

  private static void check(Autoencoder autoencoder, int tiles) {
    float[] latents = filled(4, 512, 16, 1024);
    ImageTensor image = autoencoder.decode(latents, new LatentShape(4, 3, 2, 2), new CancelToken());
    assertArrayEquals(doubled(latents), image.values(), 1f);
    assertEquals(new Decoding(tiles, List.of(1, 3), List.of()), image.decoding());
  }

  @Test
  void picturesThatOverflowAreDecodedAgain() throws IOException {
    try (Autoencoder autoencoder = doubling(TinyOnnx.FLOAT16, VaeTiling.AUTO)) {
      check(autoencoder, 1);
      check(autoencoder, 1);
    }
  }

  @Test
  void outputsMayBeWide() throws IOException {
    try (Autoencoder autoencoder = doubling(TinyOnnx.FLOAT, VaeTiling.AUTO)) {
      check(autoencoder, 1);
    }
  }

  @Test
  void latentsThatAreNotFiniteAreTold() throws IOException {
    try (Autoencoder autoencoder = doubling(TinyOnnx.FLOAT16, VaeTiling.AUTO)) {
      float[] latents = filled(4, Float.NaN);
      Decoding decoding =
          autoencoder.decode(latents, new LatentShape(2, 3, 2, 2), new CancelToken()).decoding();
      assertEquals(new Decoding(1, List.of(), List.of(1)), decoding);
    }
  }

  @Test
  void whatIsWideAlreadyStaysDamaged() throws IOException {
    TinyOnnx model =
        new TinyOnnx()
            .input("latent_sample", TinyOnnx.FLOAT, -1, 3, -1, -1)
            .output("sample", TinyOnnx.FLOAT, -1, 3, -1, -1)
            .node("Exp", "sample", "latent_sample");
    try (Autoencoder autoencoder = autoencoder(model, VaeTiling.AUTO)) {
      ImageTensor image =
          autoencoder.decode(filled(1, 1000), new LatentShape(2, 3, 2, 2), new CancelToken());
      assertTrue(Float.isInfinite(image.values()[12]));
      assertEquals(new Decoding(1, List.of(), List.of(1)), image.decoding());
    }
  }
}
