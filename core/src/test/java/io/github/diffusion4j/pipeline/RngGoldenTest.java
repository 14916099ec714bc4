package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Initial noise: what torch's CPU generator gives for seeds. */
class RngGoldenTest {

  private static final double TOLERANCE = 1e-6;

  @TestFactory
  List<DynamicTest> draws() throws IOException {
    Path given = Goldens.folder("pipelines").resolve("rng/rng.safetensors");
    Path file =
        Files.exists(given) ? given : Goldens.resource("/goldens/pipelines/rng/rng.safetensors");
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      List<DynamicTest> tests =
          tensors.names().stream()
              .filter(name -> name.startsWith("randn."))
              .map(name -> DynamicTest.dynamicTest(name, test(name, tensors.floats(name))))
              .toList();
      assertFalse(tests.isEmpty(), file.toString());
      return tests;
    }
  }

  private static org.junit.jupiter.api.function.Executable test(String name, float[] expected) {
    return () -> {
      float[] drawn = new float[expected.length];
      new TorchNoise(Long.parseLong(name.split("\\.")[1])).fill(drawn);
      for (int i = 0; i < drawn.length; i++) {
        double limit = TOLERANCE * Math.max(1, Math.abs(expected[i]));
        assertTrue(
            Math.abs(drawn[i] - expected[i]) <= limit,
            name + ": value " + i + " is " + drawn[i] + ", expected " + expected[i]);
      }
    };
  }
}
