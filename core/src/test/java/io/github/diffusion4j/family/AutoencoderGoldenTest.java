package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Autoencoders by themselves against diffusers: goldens with latents and pictures, no pipeline. */
class AutoencoderGoldenTest {

  private static final double DECODED = 1e-3;
  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    return GoldenCases.of("autoencoder", AutoencoderGoldenTest::addCases);
  }

  private static void addCases(GoldenCases cases, List<DynamicTest> tests) {
    Path variant = cases.variant();
    Path model = cases.model();
    JsonNode root = cases.root();
    if (Files.isDirectory(model.resolve("vae_decoder"))
        && !Files.exists(model.resolve("model_index.json"))) {
      for (JsonNode golden : root.path("cases")) {
        Path file = variant.resolve(golden.path("tensors").asText());
        Tensors names = new Tensors("latent_sample", "sample", "encoded");
        tests.add(test(variant, golden.path("name").asText(), () -> check(model, file, names)));
      }
    }
    if (root.hasNonNull("vq_roundtrip")) {
      Path file = variant.resolve(root.path("vq_roundtrip").asText());
      Tensors names = new Tensors("latents", "decoded", "latents");
      tests.add(test(variant, "vq_roundtrip", () -> check(model, file, names)));
    }
  }

  /** Names of what is decoded, of the picture, and of what the case's picture is encoded to. */
  record Tensors(String latents, String decoded, String encoded) {}

  private static DynamicTest test(Path variant, String name, Executable check) {
    return DynamicTest.dynamicTest(variant.getFileName() + "/" + name, check);
  }

  private static void check(Path model, Path file, Tensors names) throws IOException {
    int before = NativeCount.open();
    try (SafetensorsFile tensors = SafetensorsFile.open(file);
        Autoencoder autoencoder = Autoencoder.load(model, OPTIONS)) {
      List<Long> shape = tensors.info(names.latents).shape();
      LatentShape latents =
          new LatentShape(
              shape.get(0).intValue(),
              shape.get(1).intValue(),
              shape.get(2).intValue(),
              shape.get(3).intValue());
      assertEquals(autoencoder.latentChannels(), latents.channels());
      ImageTensor image =
          autoencoder.decode(tensors.floats(names.latents), latents, new CancelToken());
      assertEquals(latents.height() * autoencoder.factor(), image.height());
      assertEquals(latents.width() * autoencoder.factor(), image.width());
      assertArrayEquals(tensors.floats(names.decoded), image.values(), (float) DECODED);
      float[] pixels = tensors.floats("sample");
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = Math.max(-1, Math.min(1, pixels[i])); // as a picture has them
      }
      ImageTensor picture = new ImageTensor(pixels, latents.batch(), image.height(), image.width());
      assertTrue(autoencoder.encodes());
      assertArrayEquals(
          tensors.floats(names.encoded),
          autoencoder.encode(picture, new CancelToken()).mode(),
          (float) DECODED);
    }
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  @Test
  void folderWithoutDecoder(@TempDir Path folder) {
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> Autoencoder.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("vae_decoder"), thrown.getMessage());
  }
}
