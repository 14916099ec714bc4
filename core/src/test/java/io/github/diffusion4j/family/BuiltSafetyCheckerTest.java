package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The safety checker of a folder of weights. */
class BuiltSafetyCheckerTest {

  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();
  private static final String PROCESSOR =
      "{\"size\": {\"shortest_edge\": %1$d}, \"crop_size\": {\"height\": %1$d, \"width\": %1$d}}";

  private final Path golden = Goldens.resource("/goldens/vision/safety-checker");

  @TempDir Path folder;

  @BeforeEach
  void checker() throws IOException {
    Files.createDirectory(folder.resolve("safety_checker"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(golden.resolve(name), folder.resolve("safety_checker").resolve(name));
    }
    processor(22);
    Files.writeString(
        folder.resolve("model_index.json"),
        "{\"_class_name\": \"StableDiffusionPipeline\", \"safety_checker\":"
            + " [\"stable_diffusion\", \"StableDiffusionSafetyChecker\"]}");
  }

  private void processor(int size) throws IOException {
    Files.createDirectories(folder.resolve("feature_extractor"));
    Files.writeString(
        folder.resolve("feature_extractor/preprocessor_config.json"), PROCESSOR.formatted(size));
  }

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  private List<BufferedImage> pictures() throws IOException {
    try (SafetensorsFile tensors = SafetensorsFile.open(golden.resolve("golden.safetensors"))) {
      float[] values = tensors.floats("in.images");
      List<BufferedImage> pictures = new ArrayList<>();
      for (int at = 0; at < values.length; ) {
        BufferedImage picture = new BufferedImage(22, 22, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 22 * 22; i++) {
          int pixel = 0;
          for (int channel = 0; channel < 3; channel++) {
            pixel = pixel << 8 | Math.round(values[at++] * 255);
          }
          picture.setRGB(i % 22, i / 22, pixel);
        }
        pictures.add(picture);
      }
      return pictures;
    }
  }

  private List<Boolean> flags(SafetyChecker checker) throws IOException {
    List<Boolean> flags = new ArrayList<>();
    for (BufferedImage picture : pictures()) {
      flags.add(checker.flags(picture, new CancelToken()));
    }
    return flags;
  }

  @Test
  void saysWhatTheReferenceSays() throws IOException {
    List<Boolean> expected = List.of(true, true, false, false, true, false);
    try (SafetyChecker checker = SafetyChecker.load(folder, OPTIONS)) {
      assertEquals(expected, flags(checker));
    }
    try (SafetyChecker checker =
        SafetyChecker.of(ModelLayout.of(folder), OrtRuntime.of(OPTIONS)).orElseThrow()) {
      assertEquals(expected, flags(checker));
    }
  }

  /** Versions of the reference differ in how they name a model within a model. */
  @Test
  void encoderUnderOneOfItsNames() throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile tensors = SafetensorsFile.open(golden.resolve("model.safetensors"))) {
      for (String name : tensors.names()) {
        if (!name.endsWith("position_ids")) {
          String other = name.replace("vision_model.vision_model.", "vision_model.");
          writer.add(other, tensors.info(name).shape(), tensors.floats(name));
        }
      }
    }
    writer.write(folder.resolve("safety_checker/model.safetensors"));
    try (SafetyChecker checker = SafetyChecker.load(folder, OPTIONS)) {
      assertEquals(List.of(true, true, false, false, true, false), flags(checker));
    }
  }

  /** The comparison stays in 32 bits; scores far from 0 keep their signs. */
  @Test
  void halfPrecision() throws IOException {
    RuntimeOptions options = OPTIONS.toBuilder().precision(Precision.FLOAT16).build();
    try (SafetyChecker checker = SafetyChecker.load(folder, options)) {
      assertEquals(List.of(true, true, false), flags(checker).subList(0, 3));
    }
  }

  @Test
  void otherSizesAreRefused() throws IOException {
    processor(24);
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> SafetyChecker.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("24 x 24"), thrown.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "no weights"})
  void withoutWeightsThereIsNone(String other) throws IOException {
    Files.delete(folder.resolve("safety_checker/model.safetensors"));
    Files.writeString(folder.resolve("safety_checker").resolve(other), "");
    assertTrue(SafetyChecker.of(ModelLayout.of(folder), OrtRuntime.of(OPTIONS)).isEmpty());
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> SafetyChecker.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("safety_checker"), thrown.getMessage());
  }

  /** Old files say the encoder's sizes twice, and the second part counts. */
  @Test
  void oldConfigurations() throws IOException {
    Path file = folder.resolve("safety_checker/config.json");
    String config = Files.readString(file);
    Files.writeString(
        file,
        config
            .replaceFirst("\"vision_config\"", "\"vision_config_dict\"")
            .replaceFirst(
                "\\{", "{\"vision_config\": {\"hidden_size\": 99, \"patch_size\": 500},"));
    try (SafetyChecker checker = SafetyChecker.load(folder, OPTIONS)) {
      assertEquals(List.of(true, true, false, false, true, false), flags(checker));
    }
    Files.writeString(file, config.replace("\"patch_size\": 7", "\"patch_size\": 23"));
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> SafetyChecker.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("patch_size"), thrown.getMessage());
    Files.writeString(file, config.replace("\"patch_size\": 7", "\"patch_size\": 8"));
    thrown = assertThrows(ModelFormatException.class, () -> SafetyChecker.load(folder, OPTIONS));
    assertTrue(thrown.getMessage().contains("patch_embedding.weight"), thrown.getMessage());
  }

  @Test
  void isExported() throws IOException {
    Path model = folder.resolve("whole");
    ModelExport.copy(Goldens.resource("/goldens/pipelines/weights/sd15"), model);
    for (String part : List.of("safety_checker", "feature_extractor")) {
      ModelExport.copy(folder.resolve(part), model.resolve(part));
    }
    Path index = model.resolve("model_index.json");
    Files.writeString(
        index,
        Files.readString(index)
            .replaceFirst(
                "\"safety_checker\": \\[[^\\]]*\\]",
                "\"safety_checker\": [\"stable_diffusion\", \"StableDiffusionSafetyChecker\"]")
            .replaceFirst(
                "\"feature_extractor\": \\[[^\\]]*\\]",
                "\"feature_extractor\": [\"transformers\", \"CLIPImageProcessor\"]"));
    Path out = folder.resolve("out");
    new ModelExport(ModelLayout.of(model), Precision.STORED).write(out);
    assertTrue(Files.isRegularFile(out.resolve("safety_checker/model.onnx")));
    try (SafetyChecker checker =
        SafetyChecker.of(ModelLayout.of(out), OrtRuntime.of(OPTIONS)).orElseThrow()) {
      assertEquals(List.of(true, true, false, false, true, false), flags(checker));
    }
  }
}
