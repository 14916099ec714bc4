package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ImagePrompt;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.TinyOnnx;
import io.github.diffusion4j.task.Pictures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Image prompts around a UNet that predicts what the picture's average is, times the scale: what
 * reaches it shows in the latents of every step.
 */
class ImagePromptTest {

  private static final RuntimeOptions ONE_THREAD =
      RuntimeOptions.builder().intraOpThreads(1).build();
  private static final int STEPS = 3;

  @TempDir Path folder;
  private ModelCopy model;
  private int before;

  @BeforeEach
  void writeModel() throws IOException {
    before = NativeCount.open();
    model = ModelCopy.in(folder);
    Files.createDirectories(model.file("image_encoder"));
    Files.createDirectories(model.file("feature_extractor"));
    String asItIs = "{\"do_resize\": false, \"do_center_crop\": false, \"do_normalize\": false}";
    model.write(
        "feature_extractor/preprocessor_config.json", asItIs.getBytes(StandardCharsets.UTF_8));
    writeUnet(true);
    writeEncoder(1);
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  private void writeUnet(boolean scales) throws IOException {
    TinyOnnx unet = new TinyOnnx().input("sample", TinyOnnx.FLOAT, -1, 4, -1, -1);
    unet.input("timestep", TinyOnnx.FLOAT);
    unet.input("encoder_hidden_states", TinyOnnx.FLOAT, -1, -1, -1);
    unet.input("image_embeds", TinyOnnx.FLOAT, -1, 1, 1, 1);
    unet.node("Sub", "zero", "sample", "sample");
    if (scales) {
      unet.input("ip_adapter_scale", TinyOnnx.FLOAT);
      unet.node("Mul", "told", "image_embeds", "ip_adapter_scale");
    } else {
      unet.node("Identity", "told", "image_embeds");
    }
    unet.node("Add", "out_sample", "zero", "told");
    model.write(
        "unet/model.onnx", unet.output("out_sample", TinyOnnx.FLOAT, -1, 4, -1, -1).bytes());
  }

  /** The average of a picture; or of each channel, if the output is said to be that wide. */
  private void writeEncoder(int width) throws IOException {
    TinyOnnx encoder = new TinyOnnx().input("pixel_values", TinyOnnx.FLOAT, -1, 3, -1, -1);
    encoder
        .node("GlobalAveragePool", "channels", "pixel_values")
        .node("Flatten", "flat", "channels");
    encoder.node(width == 1 ? "ReduceMean" : "Identity", "image_embeds", "flat");
    encoder.output("image_embeds", TinyOnnx.FLOAT, -1, width);
    model.write("image_encoder/model.onnx", encoder.bytes());
  }

  private StableDiffusionPipeline pipeline() throws IOException {
    return StableDiffusionPipeline.load(model.folder(), ONE_THREAD);
  }

  /** Grey pictures, each of another size. */
  private static ImagePrompt greys(int... levels) {
    BufferedImage[] images = new BufferedImage[levels.length];
    for (int i = 0; i < levels.length; i++) {
      images[i] = new BufferedImage(2 + i, 3, BufferedImage.TYPE_INT_RGB);
      for (int at = 0; at < 3 * (2 + i); at++) {
        images[i].setRGB(at % (2 + i), at / (2 + i), 0x10101 * levels[i]);
      }
    }
    return new ImagePrompt(Pictures.of(images));
  }

  private static GenerationRequestBuilder request() {
    return GenerationRequest.prompts(List.of("a house", "a tree"))
        .size(32, 32)
        .steps(STEPS)
        .seed(5)
        .guidanceScale(3);
  }

  /** How each step's latents differ from those without an image prompt, by image. */
  private static double[][] told(
      StableDiffusionPipeline pipeline, GenerationRequestBuilder request) {
    Recording with = new Recording();
    pipeline.generate(request.build(), with);
    Recording without = new Recording();
    pipeline.generate(request.withoutImagePrompt().build(), without);
    double[][] differences = new double[STEPS][2];
    for (int step = 0; step < STEPS; step++) {
      float[] latents = with.steps.get(step);
      int half = latents.length / 2;
      for (int i = 0; i < latents.length; i++) {
        differences[step][i / half] += (latents[i] - without.steps.get(step)[i]) / half;
      }
    }
    return differences;
  }

  private static void assertTimes(double[] factors, double[][] unit, double[][] actual) {
    for (int step = 0; step < STEPS; step++) {
      assertTrue(Math.abs(unit[step][0]) > 1e-3, "the picture counts in step " + step);
      for (int image = 0; image < 2; image++) {
        double expected = factors[image] * unit[step][image];
        assertEquals(expected, actual[step][image], 1e-3 * Math.abs(expected), "step " + step);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(BranchBatching.class)
  void picturesReachThePromptsBranchInEveryStep(BranchBatching batching) throws IOException {
    try (StableDiffusionPipeline pipeline = pipeline()) {
      double[][] unit =
          told(pipeline, request().batching(batching).guidanceScale(1).imagePrompt(greys(51)));
      assertTimes(
          new double[] {3, 6}, // guidance's scale, for nothing reaches the negative branch
          unit,
          told(pipeline, request().batching(batching).imagePrompt(greys(51, 102))));
      assertTimes(
          new double[] {1.5, 1.5},
          unit,
          told(pipeline, request().batching(batching).imagePrompt(greys(51).withScale(0.5))));
    }
  }

  @Test
  void conditioningHoldsTheEncodersNumbersForEachImage() throws IOException {
    try (StableDiffusionPipeline pipeline = pipeline()) {
      GenerationRequest request =
          request().imagesPerPrompt(2).imagePrompt(greys(51, 102).withScale(0.5)).build();
      Conditioning told =
          pipeline
              .stages()
              .denoiser()
              .imagePrompts()
              .encode(request, new CancelToken())
              .apply(new Conditioning(2, 4, List.of()));
      float[] expected = {0, 0, 0, 0, 0.2f, 0.2f, 0.4f, 0.4f};
      assertArrayEquals(expected, told.input("image_embeds").values(), 1e-6f);
      assertEquals(List.of(1, 1, 1), told.input("image_embeds").rowShape());
      assertArrayEquals(new float[] {0.5f}, told.input("ip_adapter_scale").values());
    }
  }

  @Test
  void encoderIsOpenedForTheFirstImagePromptOnly() throws IOException {
    try (StableDiffusionPipeline pipeline = pipeline()) {
      pipeline.generate(request().build());
      int open = NativeCount.open();
      pipeline.generate(request().imagePrompt(greys(51)).build());
      int more = NativeCount.open();
      assertTrue(more > open, "opened now");
      pipeline.generate(request().imagePrompt(greys(102)).build());
      assertEquals(more, NativeCount.open(), "opened once");
    }
  }

  @Test
  void withoutAnInputForTheScaleThePictureAlwaysCountsFully() throws IOException {
    writeUnet(false);
    try (StableDiffusionPipeline pipeline = pipeline()) {
      pipeline.generate(request().imagePrompt(greys(51)).build());
      var half = request().imagePrompt(greys(51).withScale(0.5)).build();
      said(() -> pipeline.generate(half), "must be 1", "ip_adapter_scale", "0.5");
      said(() -> pipeline.generate(request().build()), "always reads an image prompt");
    }
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    said(() -> request().imagePrompt(greys(1, 2, 3)).build(), "image prompt", "got 3 pictures");
    said(() -> greys(1).withScale(Double.NaN), "NaN");
    writeEncoder(3);
    said(() -> pipeline().close(), "3 wide", "image_embeds");
    model.delete("feature_extractor/preprocessor_config.json");
    said(() -> pipeline().close(), "preprocessor_config.json is missing");
    model.dropFolder("image_encoder");
    said(() -> pipeline().close(), "image_encoder is missing");
    try (StableDiffusionPipeline plain =
        StableDiffusionPipeline.load(ModelCopy.original(), ONE_THREAD)) {
      var request = request().imagePrompt(greys(51)).build();
      said(() -> plain.generate(request), "takes no image prompt");
    }
  }

  @Test
  void provenanceTellsTheScaleAndCannotPaintAgain() throws IOException {
    try (StableDiffusionPipeline pipeline = pipeline()) {
      GenerationResult result =
          pipeline.generate(
              GenerationRequest.prompt("a house")
                  .size(32, 32)
                  .steps(1)
                  .seed(5)
                  .imagePrompt(greys(51).withScale(0.5))
                  .build());
      String json = result.provenance().toJson(0);
      assertTrue(json.contains("\"ip_adapter_scale\":0.5"), json);
      Path file = folder.resolve("told.png");
      result.save(file);
      said(() -> Provenance.readRequest(file), "image prompt");
    }
  }

  @Test
  void eachPictureOfSeveralIsSavedWithItsOwnPrompt() throws IOException {
    try (StableDiffusionPipeline pipeline = pipeline()) {
      GenerationResult result =
          pipeline.generate(
              request().seed(5, 6).imagePrompt(greys(51, 102).withScale(0.5)).build());
      assertEquals(2, result.save(folder.resolve("told.png")).size());
      for (int i = 0; i < 2; i++) {
        GenerationRequest alone = result.provenance().ofImage(i).request();
        assertEquals(greys(51, 102).pictures().images().get(i).getWidth(), width(alone));
        String json = result.provenance().toJson(i);
        assertTrue(json.contains("\"ip_adapter_scale\":0.5"), json);
        PictureDifference difference =
            PictureDifference.of(pipeline.generate(alone).image(), result.images().get(i));
        assertTrue(difference.largest() <= 1, difference.toString());
      }
    }
  }

  private static int width(GenerationRequest request) {
    return request.imagePrompt().orElseThrow().pictures().width();
  }

  @Test
  void aRefusedEncoderIsClosedAgain() throws IOException {
    TinyOnnx encoder = new TinyOnnx().input("pixel_values", TinyOnnx.FLOAT, -1, 3, -1, -1);
    encoder.input("more", TinyOnnx.FLOAT).node("GlobalAveragePool", "channels", "pixel_values");
    encoder.node("Flatten", "flat", "channels").node("Add", "sum", "flat", "more");
    encoder.node("ReduceMean", "image_embeds", "sum");
    encoder.output("image_embeds", TinyOnnx.FLOAT, -1, 1);
    model.write("image_encoder/model.onnx", encoder.bytes());
    try (StableDiffusionPipeline pipeline = pipeline()) {
      int open = NativeCount.open();
      for (int i = 0; i < 2; i++) {
        said(() -> pipeline.generate(request().imagePrompt(greys(51)).build()), "more");
        assertEquals(open, NativeCount.open(), "after request " + i);
      }
    }
  }

  private static void said(Executable work, String... parts) {
    RuntimeException thrown = assertThrows(RuntimeException.class, work);
    assertTrue(
        thrown instanceof IllegalArgumentException || thrown instanceof ModelFormatException,
        thrown.toString());
    for (String part : parts) {
      assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
    }
  }
}
