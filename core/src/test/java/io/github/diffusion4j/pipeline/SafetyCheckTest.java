package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.onnx.NativeCount;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that has a safety checker, under every policy. */
class SafetyCheckTest {

  /** Of these the tiny checker flags some. */
  private static final GenerationRequest REQUEST =
      GenerationRequest.prompts(
              List.of("a small cat", "red", "a", "photo of the sea", "x y z", "house"))
          .seed(1, 2, 3, 4, 5, 6)
          .steps(6)
          .guidanceScale(1)
          .size(64, 64)
          .build();

  @TempDir Path folder;

  private ModelCopy model;
  private int openBefore;

  @BeforeEach
  void model() throws IOException {
    openBefore = NativeCount.open();
    model = withChecker(folder.resolve("model"));
  }

  static ModelCopy withChecker(Path folder) throws IOException {
    ModelCopy model = ModelCopy.of(ModelCopy.original(), folder);
    Path checker = Goldens.resource("/goldens/pipelines/safety-checker/model");
    ModelCopy.of(checker.resolve("safety_checker"), folder.resolve("safety_checker"));
    ModelCopy.of(checker.resolve("feature_extractor"), folder.resolve("feature_extractor"));
    model.edit(
        "model_index.json",
        "\"safety_checker\": [\n    null,\n    null",
        "\"safety_checker\": [\"diffusers\", \"OnnxRuntimeModel\"");
    return model;
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  private GenerationResult paint(SafetyPolicy policy) throws IOException {
    RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).safety(policy).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model.folder(), options)) {
      return pipeline.generate(REQUEST);
    }
  }

  private static List<Boolean> flags(GenerationResult result) {
    return IntStream.range(0, 6).mapToObj(result::isFlagged).toList();
  }

  private static int[] pixels(BufferedImage image) {
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  @Test
  void policiesDifferOnlyInFlaggedPictures() throws IOException {
    GenerationResult plain = paint(SafetyPolicy.OFF);
    GenerationResult reported = paint(SafetyPolicy.REPORT);
    GenerationResult black = paint(SafetyPolicy.BLACK);
    GenerationResult blurred = paint(SafetyPolicy.BLUR);
    assertEquals(List.of(), plain.provenance().safety().flagged());
    List<Boolean> flags = flags(reported);
    assertTrue(flags.contains(true) && flags.contains(false), flags.toString());
    assertEquals(flags, flags(black));
    assertEquals(flags, flags(blurred));
    for (int i = 0; i < 6; i++) {
      int[] painted = pixels(plain.images().get(i));
      assertTrue(Arrays.equals(painted, pixels(reported.images().get(i))));
      int[] shown = pixels(black.images().get(i));
      int[] soft = pixels(blurred.images().get(i));
      if (flags.get(i)) {
        assertTrue(Arrays.stream(shown).allMatch(pixel -> pixel == 0xff000000));
        assertFalse(Arrays.equals(painted, soft));
        assertTrue(contrast(soft) < contrast(painted) / 2);
      } else {
        assertTrue(Arrays.equals(painted, shown));
        assertTrue(Arrays.equals(painted, soft));
      }
    }
  }

  /** Sum of differences between neighbours, as a measure of what can be made out. */
  private static long contrast(int[] pixels) {
    long sum = 0;
    for (int i = 1; i < pixels.length; i++) {
      sum += Math.abs((pixels[i] >> 8 & 0xff) - (pixels[i - 1] >> 8 & 0xff));
    }
    return sum;
  }

  @Test
  void filesSayWhatWasFound() throws IOException {
    GenerationResult black = paint(SafetyPolicy.BLACK);
    int flagged = flags(black).indexOf(true);
    int clean = flags(black).indexOf(false);
    assertNotEquals(flagged, clean);
    String json = black.provenance().toJson(flagged);
    assertTrue(json.contains("\"safety_checker\":\"black\",\"has_nsfw_concept\":true"), json);
    json = black.provenance().toJson(clean);
    assertTrue(json.contains("\"has_nsfw_concept\":false"), json);
    json = paint(SafetyPolicy.OFF).provenance().toJson(0);
    assertFalse(json.contains("nsfw"), json);
  }

  @Test
  void checkerThatTheIndexDoesNotNameIsNotUsed() throws IOException {
    model.edit("model_index.json", "[\"diffusers\", \"OnnxRuntimeModel\"", "[null, null");
    assertEquals(SafetyReport.UNCHECKED, paint(SafetyPolicy.BLACK).provenance().safety());
  }

  @Test
  void checkerOfAnotherSizeIsRefused() throws IOException {
    model.edit("feature_extractor/preprocessor_config.json", "\"resample\": 3", "\"resample\": 9");
    assertThrows(ModelFormatException.class, () -> paint(SafetyPolicy.BLACK));
    paint(SafetyPolicy.OFF); // nothing of the checker is read
  }
}
