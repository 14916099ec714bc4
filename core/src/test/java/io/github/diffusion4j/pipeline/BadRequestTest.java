package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that cannot be painted: an IllegalArgumentException with name, value and range. */
class BadRequestTest {

  private static StableDiffusionPipeline pipeline;

  @BeforeAll
  static void load() throws IOException {
    pipeline =
        StableDiffusionPipeline.load(
            ModelCopy.original(), RuntimeOptions.builder().intraOpThreads(1).build());
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  record Bad(String name, UnaryOperator<GenerationRequestBuilder> change, String... said) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Bad> requests() {
    return List.of(
        new Bad(
            "width not a multiple", b -> b.width(60), "width", "multiple of 16", "60", "48", "64"),
        new Bad("height not a multiple", b -> b.height(3), "height", "multiple of 16", "3"),
        new Bad("width 0", b -> b.width(0), "width", "0"),
        new Bad("negative height", b -> b.height(-8), "height", "-8"),
        new Bad("steps 0", b -> b.steps(0), "steps", "0"),
        new Bad("negative steps", b -> b.steps(-1), "-1"),
        new Bad("too many steps", b -> b.steps(5000), "5000"),
        new Bad("NaN guidance", b -> b.guidanceScale(Double.NaN), "guidance scale", "NaN"),
        new Bad(
            "infinite guidance",
            b -> b.guidanceScale(Double.POSITIVE_INFINITY),
            "guidance scale",
            "Infinity"),
        new Bad("guidance rescale", b -> b.guidanceRescale(1.5), "rescale", "[0, 1]", "1.5"),
        new Bad("eta", b -> b.eta(-0.1), "eta", "-0.1"),
        new Bad("no images", b -> b.imagesPerPrompt(0), "images per prompt", "0"),
        new Bad("too many images", b -> b.imagesPerPrompt(5000), "1024", "5000"),
        new Bad("seeds", b -> b.imagesPerPrompt(3).seed(1, 2), "3 images", "got 2"),
        new Bad("negative prompts", b -> b.negativePrompt("a", "b"), "negative prompt", "got 2"),
        new Bad("unknown scheduler", b -> b.scheduler("magic"), "magic", "ddim"),
        new Bad("huge", b -> b.size(80_000, 80_000), "GiB", "80000 x 80000", "smaller size"),
        new Bad("larger than an array", b -> b.size(2_000_000_000, 16), "smaller size"),
        new Bad(
            "latents of another size",
            b ->
                b.init(
                    new io.github.diffusion4j.Init.FromLatents(
                        io.github.diffusion4j.Floats.of(1, 2, 3))),
            "latents",
            "3",
            "256"));
  }

  @ParameterizedTest
  @MethodSource("requests")
  void badRequestIsRefusedWithItsReason(Bad bad) {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                pipeline.generate(
                    bad.change
                        .apply(GenerationRequest.prompt("a cat").steps(2).size(64, 64).seed(1))
                        .build()));
    for (String word : bad.said) {
      assertTrue(
          thrown.getMessage().contains(word),
          "expected \"" + word + "\" in: " + thrown.getMessage());
    }
  }

  @Test
  void promptOfOneMegabyte() {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> GenerationRequest.prompt("cat ".repeat(1 << 18)).build());
    assertTrue(thrown.getMessage().contains("1048576 characters"), thrown.getMessage());
  }

  @Test
  void promptOfTheLargestLengthIsCutAndPainted() {
    String prompt = "cat ".repeat(GenerationRequest.MAX_PROMPT_LENGTH / 4);
    pipeline.generate(GenerationRequest.prompt(prompt).steps(1).size(64, 64).seed(1).build());
  }

  @Test
  void unwritableOutputLeavesNothing(@TempDir Path folder) throws IOException {
    GenerationResult result =
        pipeline.generate(GenerationRequest.prompt("a cat").steps(1).size(64, 64).seed(1).build());
    Path file = folder.resolve("missing/cat.png");
    IOException thrown = assertThrows(IOException.class, () -> result.save(file));
    assertTrue(thrown.getMessage().contains("missing"), thrown.getMessage());
    try (var left = Files.list(folder)) {
      assertTrue(left.findAny().isEmpty());
    }
  }
}
