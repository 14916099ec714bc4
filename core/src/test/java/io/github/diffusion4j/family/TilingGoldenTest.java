package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Decoding and encoding tile by tile against diffusers' {@code enable_tiling}. */
class TilingGoldenTest {

  private static final float DECODED = 1e-3f;

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    Path goldens = Goldens.folder("tiling");
    JsonNode root = JsonMapper.builder().build().readTree(goldens.resolve("cases.json").toFile());
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode golden : root.path("cases")) {
      tests.add(
          DynamicTest.dynamicTest(golden.path("name").asText(), () -> check(goldens, golden)));
    }
    assertFalse(tests.isEmpty(), "no cases in " + goldens);
    return tests;
  }

  private static void check(Path goldens, JsonNode golden) throws IOException {
    int before = NativeCount.open();
    VaeTiling tiling =
        VaeTiling.ON
            .withTileSize(golden.path("tile_sample_min_size").asInt(0))
            .withOverlap(golden.path("tile_overlap_factor").asDouble(VaeTiling.DEFAULT_OVERLAP));
    RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).vaeTiling(tiling).build();
    Path model = goldens.resolve(golden.path("model").asText()).normalize();
    try (SafetensorsFile tensors =
            SafetensorsFile.open(goldens.resolve(golden.path("tensors").asText()));
        Autoencoder autoencoder = Autoencoder.load(model, options)) {
      List<Integer> shape = tensors.info("latents").shape().stream().map(Math::toIntExact).toList();
      LatentShape latents = new LatentShape(shape.get(0), shape.get(1), shape.get(2), shape.get(3));
      ImageTensor image = autoencoder.decode(tensors.floats("latents"), latents, new CancelToken());
      float[] decoded = tensors.floats("decoded");
      assertArrayEquals(decoded, image.values(), DECODED);
      for (int i = 0; i < decoded.length; i++) {
        decoded[i] = Math.max(-1, Math.min(1, decoded[i]));
      }
      ImageTensor picture =
          new ImageTensor(decoded, latents.batch(), image.height(), image.width());
      assertArrayEquals(
          tensors.floats("mean"), autoencoder.encode(picture, new CancelToken()).mode(), DECODED);
    }
    assertEquals(before, NativeCount.open(), "native resources left open");
  }
}
