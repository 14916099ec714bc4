package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TinyOnnx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of branches and images through networks of every batch dimension and type. */
class OrtDenoiserModelTest {

  private static final String HIDDEN = "encoder_hidden_states";

  @TempDir Path folder;
  private int before;

  @BeforeEach
  void count() {
    before = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  /** A network whose output is its input: rows must come back where they went in. */
  private OrtModel identity(long batch, int type, int timestepType, long... timestepShape)
      throws IOException {
    Path file =
        Files.write(
            folder.resolve("unet.onnx"),
            new TinyOnnx()
                .input("sample", type, batch, 1, -1, -1)
                .input("timestep", timestepType, timestepShape)
                .input(HIDDEN, type, batch, -1, 2)
                .output("out_sample", type, batch, 1, -1, -1)
                .node("Identity", "out_sample", "sample")
                .bytes());
    return OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build()).open("unet", file);
  }

  private static Conditioning conditioning(int branches, int images) {
    return new Conditioning(
        branches,
        images,
        List.of(new Conditioning.Input(HIDDEN, new float[branches * images * 6], List.of(3, 2))));
  }

  private static float[] predict(
      OrtModel network, int branches, int images, BranchBatching batching) {
    LatentShape shape = new LatentShape(images, 1, 1, 2);
    float[] latents = new float[shape.total()];
    for (int i = 0; i < latents.length; i++) {
      latents[i] = i + 1;
    }
    float[] out = new float[branches * latents.length];
    OrtDenoiserModel model = new OrtDenoiserModel(network, "sample", Set.of(HIDDEN));
    try (Denoiser denoiser =
        model.bind(conditioning(branches, images), shape, batching, new CancelToken())) {
      denoiser.predict(latents, 500, out);
      denoiser.predict(latents, 400.5, out);
    }
    return out;
  }

  @ParameterizedTest
  @CsvSource({
    "-1, TOGETHER",
    "-1, ONE_BY_ONE",
    "1, TOGETHER",
    "1, ONE_BY_ONE",
    "2, TOGETHER",
    "2, ONE_BY_ONE",
    "4, TOGETHER",
    "4, ONE_BY_ONE"
  })
  void everyRowComesBackInItsPlace(long batch, BranchBatching batching) throws IOException {
    try (OrtModel network = identity(batch, TinyOnnx.FLOAT, TinyOnnx.FLOAT)) {
      assertArrayEquals(new float[] {1, 2, 3, 4, 1, 2, 3, 4}, predict(network, 2, 2, batching), 0f);
    }
  }

  @Test
  void fixedBatchThatDoesNotDivideTheRowsIsRefused() throws IOException {
    try (OrtModel network = identity(3, TinyOnnx.FLOAT, TinyOnnx.FLOAT)) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () -> predict(network, 2, 2, BranchBatching.TOGETHER));
      assertTrue(thrown.getMessage().contains("exactly 3 rows"), thrown.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {TinyOnnx.FLOAT, TinyOnnx.FLOAT16, TinyOnnx.BFLOAT16})
  void everyFloatTypeIsConvertedAtTheBorder(int type) throws IOException {
    try (OrtModel network = identity(-1, type, type)) {
      assertArrayEquals(
          new float[] {1, 2, 3, 4, 1, 2, 3, 4},
          predict(network, 2, 2, BranchBatching.TOGETHER),
          0f);
    }
  }

  @ParameterizedTest
  @CsvSource({"7, ''", "7, 1", "7, -1", "6, ''", "6, 1", "1, -1", "11, ''"})
  void everyKindOfTimestep(int type, String dimension) throws IOException {
    long[] shape = dimension.isEmpty() ? new long[0] : new long[] {Long.parseLong(dimension)};
    try (OrtModel network = identity(-1, TinyOnnx.FLOAT, type, shape)) {
      assertArrayEquals(
          new float[] {1, 2, 1, 2}, predict(network, 2, 1, BranchBatching.TOGETHER), 0f);
    }
  }
}
