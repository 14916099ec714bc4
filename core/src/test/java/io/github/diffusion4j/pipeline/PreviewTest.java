package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentColors;
import io.github.diffusion4j.LatentPreview;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.family.Autoencoder;
import io.github.diffusion4j.image.Images;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures of a generation that is under way. */
class PreviewTest {

  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();

  private static Path model(String variant) {
    return Goldens.resource("/goldens/pipelines/" + variant + "/model");
  }

  @Test
  void coloursAreALinearFunctionOfTheChannels() {
    LatentColors colors = new LatentColors(Floats.of(1, 2, 3, 10, 20, 30), Floats.of(0.5f, 0, -1));
    float[] latents = {1, 2, 3, 4, /* second image */ 5, 6, 7, 8};
    ImageTensor image = colors.preview(latents, new LatentShape(2, 2, 1, 2));
    float[] expected = {
      31.5f, 42.5f, 62, 84, 92, 125, /* second image */ 75.5f, 86.5f, 150, 172, 224, 257
    };
    assertArrayEquals(expected, image.values(), 1e-5f);
    assertEquals(2, image.batch());
    assertEquals(2, image.width());
  }

  @Test
  void greyIsTheMean() {
    ImageTensor image =
        LatentColors.grey(4).preview(new float[] {1, 2, 3, 6}, new LatentShape(1, 4, 1, 1));
    assertArrayEquals(new float[] {3, 3, 3}, image.values(), 1e-6f);
    assertThrows(IllegalArgumentException.class, () -> LatentColors.grey(0));
  }

  @Test
  void latentsOfOtherChannelsAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> LatentColors.FLUX.preview(new float[4], new LatentShape(1, 4, 1, 1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new LatentColors(Floats.of(1, 2, 3, 4), Floats.of(0, 0, 0)));
  }

  @ParameterizedTest
  @CsvSource({
    "sd15, STABLE_DIFFUSION",
    "sd21-v, STABLE_DIFFUSION",
    "lcm, STABLE_DIFFUSION",
    "sdxl, STABLE_DIFFUSION_XL",
    "sd3, STABLE_DIFFUSION_3",
    "flux, FLUX",
    "upscaler-x4, UPSCALER",
    "ldm-uncond, grey"
  })
  void eachFamilyHasItsColours(String variant, String expected) throws IOException {
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model(variant), OPTIONS)) {
      LatentColors colors = LatentColors.of(pipeline.stages());
      int channels = pipeline.stages().codec().latentChannels();
      LatentColors of =
          switch (expected) {
            case "STABLE_DIFFUSION" -> LatentColors.STABLE_DIFFUSION;
            case "STABLE_DIFFUSION_XL" -> LatentColors.STABLE_DIFFUSION_XL;
            case "STABLE_DIFFUSION_3" -> LatentColors.STABLE_DIFFUSION_3;
            case "FLUX" -> LatentColors.FLUX;
            case "UPSCALER" -> LatentColors.UPSCALER;
            default -> LatentColors.grey(channels);
          };
      assertEquals(of.channels() == channels ? of : LatentColors.grey(channels), colors);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 100})
  void previewsComeBetweenTheSteps(int every) throws IOException {
    List<BufferedImage> shown = new ArrayList<>();
    GenerationRequest request =
        GenerationRequest.prompts(List.of("a cat", "a dog")).steps(4).size(64, 128).seed(1).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model("sd15"), OPTIONS)) {
      GenerationResult plain = pipeline.generate(request);
      int evaluations = evaluations(pipeline, request);
      LatentPreview colors = LatentColors.of(pipeline.stages());
      GenerationResult watched =
          pipeline.generate(
              request,
              new PreviewListener(
                  every,
                  colors,
                  images -> {
                    assertEquals(2, images.size());
                    shown.add(images.get(1));
                  }));
      assertEquals((evaluations - 1) / every, shown.size());
      for (BufferedImage image : shown) {
        assertEquals(8, image.getWidth());
        assertEquals(16, image.getHeight());
      }
      assertArrayEquals(Images.toTensor(plain.images()), Images.toTensor(watched.images()));
    }
  }

  private static int evaluations(StableDiffusionPipeline pipeline, GenerationRequest request) {
    int[] evaluations = new int[1];
    pipeline.generate(request, event -> evaluations[0] = event.evaluations());
    return evaluations[0];
  }

  @Test
  void aTinyAutoencoderShowsMore() throws IOException {
    List<float[]> shown = new ArrayList<>();
    List<float[]> decoded = new ArrayList<>();
    GenerationRequest request =
        GenerationRequest.prompt("a cat").steps(2).size(64, 64).seed(1).build();
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(model("sd15"), OPTIONS);
        Autoencoder tiny = Autoencoder.load(model("taesd"), OPTIONS)) {
      pipeline.generate(
          request,
          event -> {
            shown.add(event.preview(tiny).values());
            decoded.add(tiny.decode(event.denoised(), event.shape(), new CancelToken()).values());
          });
    }
    assertEquals(decoded.size(), shown.size());
    for (int i = 0; i < shown.size(); i++) {
      assertEquals(3 * 64 * 64, shown.get(i).length);
      assertArrayEquals(decoded.get(i), shown.get(i));
    }
  }

  @Test
  void everyZeroIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new PreviewListener(0, LatentColors.FLUX, images -> {}));
  }
}
