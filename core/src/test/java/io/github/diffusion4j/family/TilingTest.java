package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.VaeTiling.EdgeTiles;
import io.github.diffusion4j.VaeTiling.Mode;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** How pictures are cut and put together, with a decoder that copies its input. */
class TilingTest {

  @TempDir private Path folder;

  private Autoencoder copying(VaeTiling tiling, long height, long width) throws IOException {
    Path decoder = Files.createDirectories(folder.resolve("vae_decoder"));
    Files.write(
        decoder.resolve("model.onnx"),
        new TinyOnnx()
            .input("latent_sample", TinyOnnx.FLOAT, -1, 3, height, width)
            .output("sample", TinyOnnx.FLOAT, -1, 3, height, width)
            .node("Identity", "sample", "latent_sample")
            .bytes());
    Files.writeString(
        decoder.resolve("config.json"),
        "{\"block_out_channels\": [8], \"latent_channels\": 3, \"scaling_factor\": 1,"
            + " \"sample_size\": 8}");
    return Autoencoder.load(
        folder, RuntimeOptions.builder().intraOpThreads(1).vaeTiling(tiling).build());
  }

  private static ImageTensor decodesAsItIs(Autoencoder autoencoder, LatentShape shape) {
    float[] latents = new float[shape.total()];
    new TorchNoise(shape.width()).fill(latents);
    ImageTensor image = autoencoder.decode(latents, shape, new CancelToken());
    assertEquals(shape.height(), image.height());
    assertEquals(shape.width(), image.width());
    assertArrayEquals(latents, image.values(), 1e-6f);
    return image;
  }

  @ParameterizedTest
  @EnumSource(EdgeTiles.class)
  void tilesOfAnySizeFitTogether(EdgeTiles edges) throws IOException {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    Random random = new Random(seed);
    int open = NativeCount.open();
    for (int i = 0; i < 30; i++) {
      VaeTiling tiling =
          new VaeTiling(Mode.ON, 2 + random.nextInt(12), random.nextDouble() / 2, edges, 0);
      LatentShape shape =
          new LatentShape(1 + random.nextInt(2), 3, 1 + random.nextInt(40), 1 + random.nextInt(40));
      try (Autoencoder autoencoder = copying(tiling, -1, -1)) {
        decodesAsItIs(autoencoder, shape);
      } catch (AssertionError e) {
        throw new AssertionError(tiling + " " + shape, e);
      }
    }
    assertEquals(open, NativeCount.open());
  }

  @ParameterizedTest
  @CsvSource({"AUTO, 1", "ON, 9", "OFF, 1"})
  void modesSayWhen(Mode mode, int tiles) throws IOException {
    VaeTiling tiling = new VaeTiling(mode, 0, 0.25, EdgeTiles.CUT, 0);
    try (Autoencoder autoencoder = copying(tiling, -1, -1)) {
      ImageTensor image = decodesAsItIs(autoencoder, new LatentShape(1, 3, 16, 17));
      assertEquals(tiles, image.decoding().tiles());
      assertEquals(1, decodesAsItIs(autoencoder, new LatentShape(1, 3, 8, 8)).decoding().tiles());
    }
  }

  @Test
  void memoryAsksForTiles() throws IOException {
    try (Autoencoder autoencoder = copying(VaeTiling.AUTO.withMemoryLimit(10_000), -1, -1)) {
      assertEquals(1, decodesAsItIs(autoencoder, new LatentShape(1, 3, 8, 8)).decoding().tiles());
      ImageTensor image = decodesAsItIs(autoencoder, new LatentShape(1, 3, 64, 64));
      assertTrue(image.decoding().tiles() > 1);
      assertTrue(autoencoder.decodeBytes(64, 64) <= autoencoder.decodeBytes(8, 8));
    }
  }

  @Test
  void aDecoderOfOneSizeDecodesLargerPictures() throws IOException {
    try (Autoencoder autoencoder = copying(VaeTiling.AUTO, 6, 8)) {
      assertEquals(1, decodesAsItIs(autoencoder, new LatentShape(1, 3, 6, 8)).decoding().tiles());
      assertEquals(6, decodesAsItIs(autoencoder, new LatentShape(2, 3, 10, 20)).decoding().tiles());
      LatentShape small = new LatentShape(1, 3, 4, 8);
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () -> autoencoder.decode(new float[small.total()], small, new CancelToken()));
      assertTrue(thrown.getMessage().contains("latent_sample"), thrown.getMessage());
    }
  }

  @Test
  void tilesOfLessThanTwoCellsAreRefused() {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> copying(VaeTiling.ON.withTileSize(1), -1, -1).close());
    assertTrue(thrown.getMessage().contains("tileSize"), thrown.getMessage());
  }

  @Test
  void latentsOfAnotherModelAreRefused() throws IOException {
    LatentShape shape = new LatentShape(1, 4, 8, 8);
    try (Autoencoder autoencoder = copying(VaeTiling.AUTO, -1, -1)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> autoencoder.decode(new float[shape.total()], shape, new CancelToken()));
    }
  }
}
