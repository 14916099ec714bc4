package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.LatentsToImage;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Outpaint;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Upscale;
import io.github.diffusion4j.task.Variation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tasks beyond the goldens: their laws, and what they refuse. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TaskTest {

  private static final Path INPUTS = Goldens.resource("/goldens/pipelines/sd15-inpaint4/inputs");

  private final Map<String, StableDiffusionPipeline> pipelines = new HashMap<>();

  @TempDir Path temporary;

  @AfterAll
  void close() {
    pipelines.values().forEach(StableDiffusionPipeline::close);
  }

  private StableDiffusionPipeline pipeline(String variant) {
    return pipelines.computeIfAbsent(
        variant, name -> open(Goldens.resource("/goldens/pipelines/" + name + "/model")));
  }

  private static StableDiffusionPipeline open(Path model) {
    try {
      return StableDiffusionPipeline.load(
          model, RuntimeOptions.builder().intraOpThreads(1).build());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Pictures picture() {
    try {
      return Pictures.read(INPUTS.resolve("square.png"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Mask mask() {
    try {
      return Mask.read(INPUTS.resolve("mask_square.png"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static GenerationRequest request(Init init) {
    return GenerationRequest.prompt("a cat").steps(3).seed(5).init(init).build();
  }

  private static Recording record(StableDiffusionPipeline pipeline, GenerationRequest request) {
    Recording recording = new Recording();
    pipeline.generate(request, recording);
    return recording;
  }

  record Refused(String name, String model, Supplier<GenerationRequest> request, String... said) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Refused> refused() {
    StepPlan.Start begin = new StepPlan.Start.At(1);
    return List.of(
        new Refused(
            "mask of another size",
            "sd15",
            () -> request(new Inpaint(picture(), Mask.of(new float[48 * 40], 48, 40))),
            "48 x 40",
            "64 x 64"),
        new Refused(
            "strength above 1",
            "sd15",
            () -> request(new ImageToImage(picture(), 1.5)),
            "strength",
            "1.5"),
        new Refused(
            "strength 0", "sd15", () -> request(new ImageToImage(picture(), 0)), "strength", "0"),
        new Refused(
            "strength NaN",
            "sd15",
            () ->
                request(
                    new Inpaint(
                        picture(), mask(), Inpaint.Options.DEFAULT.withStrength(Double.NaN))),
            "strength",
            "NaN"),
        new Refused(
            "start elsewhere",
            "sd15",
            () -> request(new ImageToImage(picture(), begin)),
            "strength"),
        new Refused(
            "no step left",
            "sd15",
            () -> request(new ImageToImage(picture(), 0.1)).toBuilder().scheduler("ddim").build(),
            "0.1",
            "no step",
            "0.3"),
        new Refused(
            "inpainting model for text to image",
            "sd15-inpaint9",
            () -> request(new Init.FromNoise()),
            "9",
            "Inpaint"),
        new Refused(
            "inpainting model for image to image",
            "sd15-inpaint9",
            () -> request(new ImageToImage(picture(), 0.5)),
            "9",
            "Inpaint"),
        new Refused(
            "ordinary model for instructions",
            "sd15",
            () -> request(new InstructPix2Pix(picture(), 1.5)),
            "8 channels",
            "takes 4"),
        new Refused(
            "upscaler for inpainting",
            "upscaler-x4",
            () -> request(new Inpaint(picture(), mask())),
            "7",
            "Upscale"),
        new Refused(
            "noise level",
            "upscaler-x4",
            () -> request(new Upscale(picture(), 40)),
            "[0, 39]",
            "40"),
        new Refused(
            "three pictures for two prompts",
            "sd15",
            () ->
                GenerationRequest.prompts(List.of("a", "b"))
                    .init(new ImageToImage(three(), 0.5))
                    .build(),
            "2 prompts",
            "3 pictures"),
        new Refused(
            "latents of another size",
            "sd15",
            () -> request(new LatentsToImage(Floats.of(1, 2, 3), new StepPlan.Start.Strength(0.5))),
            "3 values",
            "256"),
        new Refused(
            "variation seeds",
            "sd15",
            () -> request(new Variation(new Init.FromNoise(), List.of(1L, 2L), 0.5)),
            "1 images",
            "got 2"));
  }

  private static Pictures three() {
    BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_3BYTE_BGR);
    return Pictures.of(image, image, image);
  }

  @ParameterizedTest
  @MethodSource("refused")
  void impossibleTaskIsRefusedWithItsReason(Refused refused) {
    StableDiffusionPipeline pipeline = pipeline(refused.model);
    int open = NativeCount.open();
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class, () -> pipeline.generate(refused.request.get()));
    for (String word : refused.said) {
      assertTrue(
          thrown.getMessage().contains(word),
          "expected \"" + word + "\" in: " + thrown.getMessage());
    }
    assertEquals(open, NativeCount.open(), "native resources left open");
  }

  @Test
  void missingEncoderIsRefusedWithARemedy() throws IOException {
    ModelCopy model = ModelCopy.in(temporary);
    model.delete("vae_encoder/model.onnx");
    try (StableDiffusionPipeline pipeline = open(model.folder())) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () -> pipeline.generate(request(new ImageToImage(picture(), 0.5))));
      assertTrue(thrown.getMessage().contains("no vae_encoder"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("optimum-cli"), thrown.getMessage());
      pipeline.generate(request(new Init.FromNoise()));
    }
  }

  @Test
  void severalSeedsPaintWhatEachPaintsAlone() {
    StableDiffusionPipeline pipeline = pipeline("sd15");
    for (Init init : List.of(new ImageToImage(picture(), 0.7), new Inpaint(picture(), mask()))) {
      List<BufferedImage> both =
          pipeline
              .generate(request(init).toBuilder().imagesPerPrompt(2).seed(7, 8).build())
              .images();
      for (int i = 0; i < 2; i++) {
        BufferedImage alone =
            pipeline.generate(request(init).toBuilder().seed(7 + i).build()).image();
        PictureDifference difference = PictureDifference.of(alone, both.get(i));
        assertTrue(difference.largest() <= 1, init + ": " + difference);
      }
    }
  }

  @Test
  void extraChannelsAreTheSameWithBranchesOneByOne() {
    for (String model : List.of("sd15-inpaint9", "pix2pix")) {
      Init init =
          model.equals("pix2pix")
              ? new InstructPix2Pix(picture(), 1.5)
              : new Inpaint(picture(), mask());
      StableDiffusionPipeline pipeline = pipeline(model);
      GenerationRequest request = request(init).toBuilder().imagesPerPrompt(2).build();
      float[] together = record(pipeline, request).image;
      float[] apart =
          record(pipeline, request.toBuilder().batching(BranchBatching.ONE_BY_ONE).build()).image;
      assertArrayEquals(together, apart, 1e-4f);
    }
  }

  @Test
  void sizeIsThePicturesCutToTheModelsMultiple() throws IOException {
    Init init = new ImageToImage(Pictures.read(INPUTS.resolve("odd.png")), 0.5); // 71 x 53
    BufferedImage image = pipeline("sd15").generate(request(init)).image();
    assertEquals(64, image.getWidth());
    assertEquals(48, image.getHeight());
    BufferedImage given =
        pipeline("sd15").generate(request(init).toBuilder().size(48, 80).build()).image();
    assertEquals(48, given.getWidth());
    assertEquals(80, given.getHeight());
  }

  @Test
  void overlayKeepsKnownPixels() {
    Pictures pictures = picture();
    Inpaint.Options options = Inpaint.Options.DEFAULT.withOverlay();
    BufferedImage image =
        pipeline("sd15").generate(request(new Inpaint(pictures, mask(), options))).image();
    float[] original =
        pictures.tensor(64, 64, io.github.diffusion4j.image.Resampling.LANCZOS).values();
    BufferedImage known = io.github.diffusion4j.image.Images.fromTensor(original, 64, 64).get(0);
    int kept = 0;
    for (int i = 0; i < 64 * 64; i++) {
      int x = i % 64;
      int y = i / 64;
      if (blackAt(x, y)) {
        assertEquals(known.getRGB(x, y), image.getRGB(x, y));
        kept++;
      }
    }
    assertTrue(kept > 1000);
  }

  private static boolean blackAt(int x, int y) {
    try {
      return (javax.imageio.ImageIO.read(INPUTS.resolve("mask_square.png").toFile()).getRGB(x, y)
              & 0xff)
          == 0;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void cropPaintsAtTheModelsSizeAndKeepsThePicturesSize() throws IOException {
    Pictures pictures = Pictures.read(INPUTS.resolve("wide.png")); // 80 x 48
    Mask mask = Mask.read(INPUTS.resolve("mask_wide.png"));
    Inpaint task = new Inpaint(pictures, mask, Inpaint.Options.DEFAULT.withCrop(4));
    Recording recording = new Recording();
    BufferedImage image = pipeline("sd15").generate(request(task), recording).image();
    assertEquals(80, image.getWidth());
    assertEquals(48, image.getHeight());
    assertEquals(3 * 64 * 64, recording.image.length);
  }

  @Test
  void fillsBeginWithOtherLatents() {
    List<float[]> begun =
        Arrays.stream(Inpaint.Fill.values())
            .map(
                fill ->
                    record(
                            pipeline("sd15"),
                            request(
                                new Inpaint(
                                    picture(),
                                    mask(),
                                    Inpaint.Options.DEFAULT.withStrength(0.7).withFill(fill))))
                        .initial)
            .toList();
    for (int i = 0; i < begun.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertTrue(!Arrays.equals(begun.get(i), begun.get(j)), "fills " + i + " and " + j);
      }
    }
  }

  @Test
  void outpaintingPaintsTheLargerCanvas() {
    Inpaint task = new Outpaint(0, 0, 16, 0, 4).task(picture(), Inpaint.Options.DEFAULT);
    BufferedImage image = pipeline("sd15").generate(request(task)).image();
    assertEquals(80, image.getWidth());
    assertEquals(64, image.getHeight());
  }

  @Test
  void variationsLieBetweenTheTwoSeeds() {
    StableDiffusionPipeline pipeline = pipeline("sd15");
    float[] own = record(pipeline, request(new Init.FromNoise())).initial;
    float[] none = record(pipeline, request(new Variation(9, 0))).initial;
    float[] all = record(pipeline, request(new Variation(9, 1))).initial;
    float[] other =
        record(pipeline, request(new Init.FromNoise()).toBuilder().seed(9).build()).initial;
    assertArrayEquals(own, none, 1e-6f);
    assertArrayEquals(other, all, 1e-6f);
    float[] half = record(pipeline, request(new Variation(9, 0.5))).initial;
    for (int i = 0; i < half.length; i++) {
      assertEquals((own[i] + other[i]) / Math.sqrt(2), half[i], 0.25 * (1 + Math.abs(half[i])));
    }
  }

  @Test
  void variationIsPaintedAgainFromItsRecord() throws IOException {
    StableDiffusionPipeline pipeline = pipeline("sd15");
    GenerationResult result = pipeline.generate(request(new Variation(9, 0.3)));
    Path file = result.save(temporary.resolve("varied.png")).get(0);
    GenerationResult again = pipeline.generate(Provenance.readRequest(file));
    assertEquals(0, PictureDifference.of(result.image(), again.image()).largest());
  }

  @Test
  void latentsToImageTakesUpWhereAnotherStopped() {
    StableDiffusionPipeline pipeline = pipeline("sd15");
    GenerationRequest whole =
        request(new Init.FromNoise()).toBuilder().scheduler("ddim").steps(4).build();
    Recording recording = record(pipeline, whole);
    Recording rest =
        record(
            pipeline,
            whole.toBuilder()
                .init(
                    new LatentsToImage(
                        Floats.of(recording.steps.get(1)), new StepPlan.Start.Share(0.5)))
                .build());
    assertEquals(2, rest.steps.size());
    assertArrayEquals(recording.image, rest.image, 1e-4f);
  }

  @Test
  void hiresFixPaintsTwice() {
    StableDiffusionPipeline pipeline = pipeline("sd15");
    GenerationRequest small =
        request(new Init.FromNoise()).toBuilder().scheduler("ddim").size(64, 48).steps(4).build();
    for (HiresFix.Enlarging enlarging : HiresFix.Enlarging.values()) {
      Recording recording = new Recording();
      HiresFix fix = new HiresFix(1.5, 0.5, enlarging);
      BufferedImage image =
          fix.generate(pipeline, small, recording, new io.github.diffusion4j.CancelToken()).image();
      assertEquals(96, image.getWidth());
      assertEquals(64, image.getHeight()); // 72, cut to the multiple of 16
      assertEquals(4 + 2, recording.steps.size(), "steps of both passes");
    }
    assertThrows(
        IllegalArgumentException.class, () -> new HiresFix(1, 0.5, HiresFix.Enlarging.PIXELS));
    assertThrows(
        IllegalArgumentException.class, () -> new HiresFix(2, 0, HiresFix.Enlarging.PIXELS));
  }
}
