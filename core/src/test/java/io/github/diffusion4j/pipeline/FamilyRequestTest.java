package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SizeConditioning;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.LatentsToImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What requests mean to each family, beyond what the goldens show. */
class FamilyRequestTest {

  private static StableDiffusionPipeline open(String variant) throws IOException {
    return StableDiffusionPipeline.load(
        Goldens.resource("/goldens/pipelines/" + variant + "/model"),
        RuntimeOptions.builder().intraOpThreads(1).build());
  }

  private static Conditioning encode(Stages stages, GenerationRequest request) {
    GenerationRequest resolved = request.resolve(stages.facts());
    Guidance guidance = stages.rules().guidance(resolved);
    return stages.encoder().encode(resolved, guidance, new CancelToken());
  }

  record Bad(String variant, GenerationRequestBuilder request, String... said) {
    @Override
    public String toString() {
      return variant + ": " + String.join(", ", said);
    }
  }

  static Stream<Bad> requests() {
    return Stream.of(
        new Bad("sdxl", cat().text(TextOptions.DEFAULT.withClipSkip(3)), "clip skip", "[0, 2]"),
        new Bad("sd3", cat().size(64, 56), "height", "multiple of 16", "56", "48"),
        new Bad("sd3", cat().size(64, 272), "at most 256", "no places beyond", "64 x 272"),
        new Bad(
            "sd3",
            cat().text(TextOptions.DEFAULT.withMaxSequenceLength(600)),
            "max sequence length",
            "[1, 512]",
            "600"),
        new Bad("flux", cat().text(TextOptions.DEFAULT.withClipSkip(1)), "clip skip", "1"),
        new Bad("flux", cat().size(72, 64), "width", "multiple of 16", "72"),
        new Bad("ldm-class", cat(), "number in [0, 9]", "a cat"),
        new Bad("ldm-class", GenerationRequest.classes(11), "number in [0, 9]", "11"),
        new Bad("ldm-class", GenerationRequest.classes(1).negativePrompt("no"), "\"no\""),
        new Bad("ldm-uncond", cat(), "without a prompt", "a cat"));
  }

  private static GenerationRequestBuilder cat() {
    return GenerationRequest.prompt("a cat").size(64, 64).steps(1).seed(1);
  }

  @ParameterizedTest
  @MethodSource("requests")
  void badRequestIsRefusedWithItsReason(Bad bad) throws IOException {
    try (StableDiffusionPipeline pipeline = open(bad.variant)) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class, () -> pipeline.generate(bad.request.build()));
      for (String word : bad.said) {
        assertTrue(
            thrown.getMessage().contains(word),
            "expected \"" + word + "\" in: " + thrown.getMessage());
      }
    }
  }

  @Test
  void textsForOtherEncodersAreCounted() {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                GenerationRequest.prompt("a")
                    .text(TextOptions.DEFAULT.withPrompts2(List.of("b", "c"), List.of()))
                    .build());
    assertTrue(thrown.getMessage().contains("prompt 2"), thrown.getMessage());
  }

  /** Transformers paint the same whether branches go together or one by one, and leave nothing. */
  @ParameterizedTest
  @ValueSource(strings = {"sdxl", "sd3", "flux", "lcm"})
  void branchesTogetherAndOneByOneAreAlike(String variant) throws IOException {
    int before = NativeCount.open();
    try (StableDiffusionPipeline pipeline = open(variant)) {
      GenerationRequest together =
          GenerationRequest.prompts(List.of("a cat", "two dogs"))
              .negativePrompt("grey")
              .guidanceScale(4)
              .trueGuidanceScale(2)
              .size(64, 64)
              .steps(2)
              .seed(3)
              .build();
      Recording first = new Recording();
      pipeline.generate(together, first);
      Recording second = new Recording();
      pipeline.generate(together.toBuilder().batching(BranchBatching.ONE_BY_ONE).build(), second);
      assertArrayEquals(first.image, second.image, 1e-4f);
    }
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  @Test
  void noNegativePromptIsNotTheEmptyOne() throws IOException {
    try (StableDiffusionPipeline pipeline = open("sdxl")) {
      GenerationRequest none = cat().build();
      float[] zeros = encode(pipeline.stages(), none).input("text_embeds").values();
      float[] empty =
          encode(pipeline.stages(), none.toBuilder().negativePrompt("").build())
              .input("text_embeds")
              .values();
      int row = zeros.length / 2;
      assertArrayEquals(new float[row], Arrays.copyOf(zeros, row));
      assertTrue(empty[0] != 0);
    }
  }

  /** Both CLIP encoders read the prompts' language. */
  @Test
  void weightsMoveEmbeddings() throws IOException {
    TextOptions webUi = reading(PromptOptions.of(PromptSyntax.WEB_UI));
    GenerationRequest plain = cat().negativePrompt("x").guidanceScale(5).build();
    try (StableDiffusionPipeline pipeline = open("sdxl")) {
      float[] expected = hidden(pipeline, plain);
      assertArrayEquals(expected, hidden(pipeline, plain.toBuilder().text(webUi).build()));
      GenerationRequest weighted =
          GenerationRequest.prompt("a (cat:1.6)").like(plain).text(webUi).build();
      assertTrue(!Arrays.equals(expected, hidden(pipeline, weighted)));
    }
  }

  /** One text's chunks set the length of all rows of both encoders. */
  @Test
  void longPromptsGiveMoreTokensInAllRows() throws IOException {
    TextOptions chunks = reading(PromptOptions.PLAIN.withLongPrompts(LongPrompts.CHUNKS));
    String many = "a cat and ".repeat(40);
    GenerationRequest first =
        GenerationRequest.prompts(List.of(many, "a dog"))
            .negativePrompt("x")
            .guidanceScale(5)
            .text(chunks)
            .build();
    GenerationRequest second =
        first.toBuilder().text(chunks.withPrompts2(List.of("a", many), List.of())).build();
    try (StableDiffusionPipeline pipeline = open("sdxl")) {
      for (GenerationRequest request : List.of(first, second)) {
        int tokens =
            encode(pipeline.stages(), request).input("encoder_hidden_states").rowShape().get(0);
        assertEquals(0, tokens % 77);
        assertTrue(tokens > 77, tokens + " tokens");
      }
    }
  }

  private static TextOptions reading(PromptOptions options) {
    return TextOptions.DEFAULT.withPrompt(options);
  }

  private static float[] hidden(StableDiffusionPipeline pipeline, GenerationRequest request) {
    return encode(pipeline.stages(), request).input("encoder_hidden_states").values();
  }

  @Test
  void sizesAreToldHeightFirst() throws IOException {
    SizeConditioning sizes =
        SizeConditioning.DEFAULT.withPrompt(
            SizeConditioning.DEFAULT.prompt().withOriginal(10, 20).withCrop(3, 4));
    try (StableDiffusionPipeline pipeline = open("sdxl")) {
      GenerationRequest request = cat().size(80, 48).guidanceScale(1).sizes(sizes).build();
      assertArrayEquals(
          new float[] {20, 10, 3, 4, 48, 80},
          encode(pipeline.stages(), request).input("time_ids").values());
    }
  }

  @Test
  void negativeSizesFollowTheReference() throws IOException {
    SizeConditioning.Sizes told = SizeConditioning.DEFAULT.prompt();
    SizeConditioning sizes =
        SizeConditioning.DEFAULT
            .withPrompt(told.withOriginal(10, 20).withCrop(3, 4))
            .withNegative(SizeConditioning.DEFAULT.negative().withTarget(30, 40).withCrop(5, 6));
    GenerationRequest noise = cat().guidanceScale(5).sizes(sizes).build();
    GenerationRequest over =
        noise.toBuilder()
            .init(new LatentsToImage(Floats.of(new float[256]), new StepPlan.Start.Strength(0.5)))
            .build();
    try (StableDiffusionPipeline base = open("sdxl");
        StableDiffusionPipeline refiner = open("sdxl-refiner")) {
      assertArrayEquals(
          new float[] {20, 10, 3, 4, 64, 64, 20, 10, 3, 4, 64, 64},
          encode(base.stages(), noise).input("time_ids").values());
      assertArrayEquals(
          new float[] {20, 10, 3, 4, 40, 30, 20, 10, 3, 4, 64, 64},
          encode(base.stages(), over).input("time_ids").values());
      assertArrayEquals(
          new float[] {20, 10, 5, 6, 2.5f, 20, 10, 3, 4, 6},
          encode(refiner.stages(), over).input("time_ids").values());
    }
  }

  /** The refiner goes on where the base model stopped; alone it would paint something else. */
  @Test
  void refinerGoesOnWhereTheBaseStopped() throws IOException {
    GenerationRequest request = cat().steps(10).negativePrompt("grey").build();
    try (StableDiffusionPipeline base = open("sdxl");
        StableDiffusionPipeline refiner = open("sdxl-refiner")) {
      Recording both = new Recording();
      BaseAndRefiner.at(0.7).generate(base, refiner, request, both, new CancelToken());
      Recording first = new Recording();
      base.generate(
          request.toBuilder().plan(StepPlan.steps(10).withDenoisingEnd(0.7)).build(), first);
      assertEquals(10, both.steps.size(), "steps of both models together");
      int handed = first.steps.size();
      assertEquals(7, handed);
      assertArrayEquals(first.steps.get(handed - 1), both.steps.get(handed - 1));
      assertArrayEquals(first.steps.get(handed - 1), both.initial, "what the refiner begins with");
      Recording second = new Recording();
      refiner.generate(
          request.toBuilder()
              .init(new LatentsToImage(Floats.of(both.initial), new StepPlan.Start.Share(0.7)))
              .build(),
          second);
      assertArrayEquals(second.image, both.image);
    }
  }

  @Test
  void baseOfAnotherKindThanTheRefiner() throws IOException {
    try (StableDiffusionPipeline base = open("lcm");
        StableDiffusionPipeline refiner = open("sdxl-refiner")) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () -> BaseAndRefiner.at(0.8).generate(base, refiner, cat().build()));
      assertTrue(thrown.getMessage().contains("latents"), thrown.getMessage());
    }
  }

  @Test
  void defaultsAreTheFamilys() throws IOException {
    try (StableDiffusionPipeline flux = open("flux")) {
      assertEquals(28, flux.facts().steps());
      assertEquals(3.5, flux.facts().guidanceScale());
      assertEquals("flux", flux.facts().family());
    }
    try (StableDiffusionPipeline lcm = open("lcm")) {
      assertEquals(4, lcm.facts().steps());
      assertEquals(8.5, lcm.facts().guidanceScale());
    }
  }
}
