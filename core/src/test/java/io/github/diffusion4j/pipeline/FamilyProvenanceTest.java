package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SizeConditioning;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A picture's record holds what each family was told, and paints the picture again. */
class FamilyProvenanceTest {

  @TempDir Path folder;

  record Painted(String variant, GenerationRequest request) {
    @Override
    public String toString() {
      return variant + " " + request.plan().orElseThrow();
    }
  }

  static Stream<Painted> requests() {
    SizeConditioning.Sizes told = SizeConditioning.DEFAULT.prompt();
    return Stream.of(
        new Painted(
            "sdxl",
            request(StepPlan.steps(6).withDenoisingEnd(0.7))
                .text(
                    TextOptions.DEFAULT
                        .withClipSkip(1)
                        .withPrompts2(List.of("in oil"), List.of("photo")))
                .sizes(
                    SizeConditioning.DEFAULT
                        .withPrompt(told.withOriginal(512, 256).withCrop(8, 16).withTarget(80, 40))
                        .withNegative(told.withOriginal(32, 32).withTarget(16, 16)))
                .build()),
        new Painted(
            "sd3",
            request(StepPlan.sigmas(1, 0.6, 0.2))
                .text(
                    TextOptions.DEFAULT
                        .withMaxSequenceLength(24)
                        .withPrompts3(List.of("in the sea"), List.of("dull")))
                .build()),
        new Painted("flux", request(StepPlan.steps(2)).trueGuidanceScale(2.5).build()),
        new Painted("lcm", request(StepPlan.steps(2).withOriginalSteps(100)).build()),
        new Painted(
            "ldm-class",
            GenerationRequest.classes(1, 4).negativePrompt("2").steps(2).seed(4).build()));
  }

  private static GenerationRequestBuilder request(StepPlan plan) {
    return GenerationRequest.prompt("a boat").negativePrompt("x").plan(plan).size(64, 64).seed(7);
  }

  @ParameterizedTest
  @MethodSource("requests")
  void recordPaintsThePictureAgain(Painted painted) throws IOException {
    Path model = Goldens.resource("/goldens/pipelines/" + painted.variant + "/model");
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(model, RuntimeOptions.builder().intraOpThreads(1).build())) {
      Path file = pipeline.generate(painted.request).save(folder.resolve("boat.png")).get(0);
      GenerationRequest again = Provenance.readRequest(file);
      assertEquals(painted.request.text(), again.text());
      assertEquals(painted.request.sizes(), again.sizes());
      assertEquals(painted.request.plan(), again.plan());
      assertEquals(painted.request.guidance().trueScale(), again.guidance().trueScale());
      var image = pipeline.generate(again).images().get(0);
      assertEquals(0, PictureDifference.of(ImageIO.read(file.toFile()), image).largest());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sdxl", "sd3"})
  void eachPictureOfSeveralHasItsOwnTexts(String variant) throws IOException {
    List<String> texts = List.of("in oil", "in the sea");
    List<String> negatives = List.of("photo", "dull");
    TextOptions text = TextOptions.DEFAULT.withPrompts2(texts, negatives);
    GenerationRequest request =
        GenerationRequest.prompts(List.of("a boat", "a house"))
            .negativePrompt("x", "y")
            .text(variant.equals("sd3") ? text.withPrompts3(negatives, texts) : text)
            .steps(2)
            .size(64, 64)
            .seed(7, 8)
            .build();
    Path model = Goldens.resource("/goldens/pipelines/" + variant + "/model");
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(model, RuntimeOptions.builder().intraOpThreads(1).build())) {
      List<Path> files = pipeline.generate(request).save(folder.resolve("boats.png"));
      for (int i = 0; i < files.size(); i++) {
        GenerationRequest alone = Provenance.readRequest(files.get(i));
        assertEquals(List.of(texts.get(i)), alone.text().prompts2());
        assertEquals(List.of(negatives.get(i)), alone.text().negativePrompts2());
        var image = pipeline.generate(alone).image();
        PictureDifference difference =
            PictureDifference.of(ImageIO.read(files.get(i).toFile()), image);
        assertTrue(difference.largest() <= 1, difference.toString());
      }
    }
  }
}
