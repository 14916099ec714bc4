package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceSchedule;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.Pictures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What guidance in parts of a generation and by other methods means for each kind of model. */
class GuidanceRequestTest {

  private static final int STEPS = 5;

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(0, NativeCount.open());
  }

  /** What a generation was. */
  private record Run(List<float[]> steps, int rows) {
    float[] latents() {
      return steps.get(steps.size() - 1);
    }
  }

  private static GenerationRequestBuilder cat() {
    return GenerationRequest.prompt("a cat")
        .negativePrompt("bad")
        .size(64, 64)
        .steps(STEPS)
        .guidanceScale(5)
        .scheduler("euler")
        .seed(3);
  }

  private static GenerationRequestBuilder flowing() {
    return cat().scheduler("flow-euler");
  }

  private static List<Run> runs(String variant, GenerationRequestBuilder... requests)
      throws IOException {
    try (StableDiffusionPipeline model =
        StableDiffusionPipeline.load(
            Goldens.resource("/goldens/pipelines/" + variant + "/model"),
            RuntimeOptions.builder().intraOpThreads(1).build())) {
      return Arrays.stream(requests).map(request -> run(model, request.build())).toList();
    }
  }

  private static Run run(StableDiffusionPipeline model, GenerationRequest request) {
    RecordingStages stages = new RecordingStages(model.stages());
    Recording recording = new Recording();
    try (StableDiffusionPipeline counted = StableDiffusionPipeline.of(stages.stages())) {
      counted.generate(request, recording, new CancelToken());
    }
    return new Run(recording.steps, stages.rows);
  }

  private static String refused(String variant, GenerationRequestBuilder request) {
    return assertThrows(IllegalArgumentException.class, () -> runs(variant, request)).getMessage();
  }

  @Test
  void anEmptyIntervalPaintsWhatNoGuidancePaints() throws IOException {
    List<Run> runs = runs("sd15", cat().guidanceInterval(0, 0), cat().guidanceScale(1), cat());
    assertArrayEquals(runs.get(1).latents(), runs.get(0).latents());
    assertEquals(STEPS, runs.get(0).rows);
    assertEquals(2 * STEPS, runs.get(2).rows);
  }

  @Test
  void guidanceActsFromTheIntervalsStartOn() throws IOException {
    List<Run> runs = runs("sdxl", cat().guidanceInterval(0.4, 1), cat().guidanceScale(1));
    for (int step = 0; step < STEPS; step++) {
      assertEquals(
          step < 2,
          Arrays.equals(runs.get(0).steps.get(step), runs.get(1).steps.get(step)),
          "step " + step);
    }
    assertEquals(2 + 3 * 2, runs.get(0).rows);
  }

  @Test
  void editedPromptsChangeInsideAndOutsideOfTheInterval() throws IOException {
    TextOptions webUi = TextOptions.DEFAULT.withPrompt(PromptOptions.of(PromptSyntax.WEB_UI));
    GenerationRequestBuilder edited =
        GenerationRequest.prompt("a [cat:dog:2]").like(cat().build()).text(webUi).seed(3);
    List<Run> runs =
        runs(
            "sd15",
            edited.guidanceInterval(0.4, 0.8),
            cat().negativePrompt("").guidanceInterval(0.4, 0.8));
    assertEquals(STEPS + 2, runs.get(0).rows);
    for (int step = 0; step < STEPS; step++) {
      assertEquals(
          step <= 2,
          Arrays.equals(runs.get(0).steps.get(step), runs.get(1).steps.get(step)),
          "step " + step);
    }
  }

  @Test
  void trueGuidanceTakesMethodsAndIntervals() throws IOException {
    GenerationRequestBuilder request = flowing().trueGuidanceScale(4);
    List<Run> runs =
        runs(
            "flux",
            request,
            flowing().trueGuidanceScale(4).guidanceMethod(GuidanceMethod.of("cfg-zero")),
            flowing().trueGuidanceScale(4).guidanceInterval(0, 0.6));
    assertEquals(List.of(10, 8, 8), runs.stream().map(Run::rows).toList());
    assertFalse(Arrays.equals(runs.get(0).latents(), runs.get(1).latents()));
  }

  @Test
  void instructionsTakeAnIntervalButNoOtherMethod() throws IOException {
    BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    InstructPix2Pix task = new InstructPix2Pix(Pictures.of(image), 1.5);
    List<Run> runs = runs("pix2pix", cat().init(task).guidanceInterval(0.2, 0.6));
    assertEquals(3 + 2 * 3, runs.get(0).rows);
    assertTrue(
        refused("pix2pix", cat().init(task).guidanceMethod(GuidanceMethod.of("apg")))
            .contains("standard method only"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lcm", "flux"})
  void modelsWithoutANegativeBranchSaySo(String variant) {
    GenerationRequestBuilder request = cat().guidanceInterval(0, 0.5);
    assertTrue(refused(variant, request).contains("classifier-free"));
  }

  @Test
  void aScaleOfOneHasNothingToSteer() {
    GenerationRequestBuilder request =
        cat().guidanceScale(1).guidanceSchedule(GuidanceSchedule.of("cosine"));
    assertTrue(refused("sd15", request).contains("above 1"));
  }

  @Test
  void joinedPromptsTakeASchedule() throws IOException {
    TextOptions webUi = TextOptions.DEFAULT.withPrompt(PromptOptions.of(PromptSyntax.WEB_UI));
    GenerationRequest joined =
        GenerationRequest.prompt("a cat AND a dog").like(cat().build()).text(webUi).seed(3).build();
    List<Run> runs =
        runs(
            "sd15",
            joined.toBuilder(),
            joined.toBuilder().guidanceSchedule(GuidanceSchedule.of("linear")));
    assertFalse(Arrays.equals(runs.get(0).latents(), runs.get(1).latents()));
    assertTrue(
        refused("sd15", joined.toBuilder().guidanceInterval(0, 0.5)).contains("all the time"));
    assertTrue(
        refused("sd15", joined.toBuilder().guidanceMethod(GuidanceMethod.of("tangential")))
            .contains("standard method"));
  }
}
