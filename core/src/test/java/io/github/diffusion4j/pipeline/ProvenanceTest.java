package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceSchedule;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PromptEmbeddings;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.PromptWeighting;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.image.A1111Parameters;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Png;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Variation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A picture says how it was made, and its record paints it again. */
class ProvenanceTest {

  private static StableDiffusionPipeline pipeline;

  @TempDir Path folder;

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

  private void repaints(GenerationRequest request) throws IOException {
    List<Path> files = pipeline.generate(request).save(folder.resolve("cat.png"));
    assertEquals(request.images(), files.size());
    for (Path file : files) {
      GenerationRequest again = Provenance.readRequest(file);
      var image = pipeline.generate(again).images().get(Provenance.readIndex(file));
      PictureDifference difference = PictureDifference.of(ImageIO.read(file.toFile()), image);
      assertTrue(difference.largest() <= 1, file.getFileName() + ": " + difference);
    }
  }

  @Test
  void onePicture() throws IOException {
    repaints(
        GenerationRequest.prompt("a cat, \"quoted\": näıve 猫\nsecond line")
            .negativePrompt("blurry")
            .steps(3)
            .size(64, 48)
            .guidanceScale(5.5)
            .guidanceRescale(0.3)
            .eta(0.5)
            .scheduler("ddim")
            .seed(-9007199254740993L)
            .build());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apg:eta=0.0,momentum=-0.5,norm_threshold=15.0",
        "cfg-zero:zero_init_steps=2.0",
        "tangential",
        "dynamic-threshold:interpolate_phi=1.0,mimic_scale=3.0,percentile=0.95"
      })
  void guidanceInAPartByAScheduleAndAMethod(String method) throws IOException {
    GenerationRequest request =
        GenerationRequest.prompt("a cat")
            .scheduler("euler")
            .steps(4)
            .size(64, 64)
            .guidanceScale(5)
            .guidanceInterval(0.25, 0.8)
            .guidanceSchedule(GuidanceSchedule.of("cosine:2,0.5"))
            .guidanceMethod(GuidanceMethod.of(method))
            .seed(5)
            .build();
    repaints(request);
    Path file = folder.resolve("cat.png");
    assertEquals(request.guidance(), Provenance.readRequest(file).guidance());
    Map<String, String> settings =
        A1111Parameters.parse(PictureFile.readTexts(file).get(Png.PARAMETERS)).settings();
    assertEquals("0.25,0.8", settings.get("Guidance interval"));
    assertEquals("cosine:2.0,0.5", settings.get("Guidance schedule"));
    assertEquals(method, settings.get("Guidance method"));
  }

  @Test
  void aScheduleOfTheUsersOwnCannotBeRepainted() throws IOException {
    GenerationRequest request =
        GenerationRequest.prompt("a cat")
            .steps(1)
            .size(64, 64)
            .guidanceScale(5)
            .guidanceSchedule((evaluation, evaluations) -> 2)
            .seed(5)
            .build();
    Path file = pipeline.generate(request).save(folder.resolve("own.png")).get(0);
    String message =
        assertThrows(ModelFormatException.class, () -> Provenance.readRequest(file)).getMessage();
    assertTrue(message.contains("guidance schedule"), message);
  }

  @Test
  void aPromptInALanguage() throws IOException {
    TextOptions text =
        TextOptions.DEFAULT.withPrompt(
            new PromptOptions(
                PromptSyntax.WEB_UI, PromptWeighting.INTERPOLATE_REMOVED, LongPrompts.CHUNKS));
    GenerationRequest request =
        GenerationRequest.prompt("a (red:1.4) [cat:dog:1] AND a house :0.5")
            .text(text)
            .steps(2)
            .size(64, 64)
            .seed(5)
            .build();
    repaints(request);
    assertEquals(text, Provenance.readRequest(folder.resolve("cat.png")).text());
  }

  @Test
  void givenEmbeddingsAreNotRecorded() throws IOException {
    TextOptions text =
        TextOptions.DEFAULT.withEmbeddings(
            PromptEmbeddings.of(new float[77 * 32], new float[77 * 32], 77, 32));
    GenerationRequest request =
        GenerationRequest.prompt("").text(text).steps(1).size(64, 64).seed(5).build();
    Path file = pipeline.generate(request).save(folder.resolve("given.png")).get(0);
    String message =
        assertThrows(ModelFormatException.class, () -> Provenance.readRequest(file)).getMessage();
    assertTrue(message.contains("given embeddings"), message);
  }

  @Test
  void severalPicturesOfOneSeed() throws IOException {
    repaints(
        GenerationRequest.prompts(List.of("a cat", "a dog"))
            .imagesPerPrompt(2)
            .steps(2)
            .size(64, 64)
            .seed(5)
            .build());
  }

  @Test
  void severalPicturesOfTheirOwnSeeds() throws IOException {
    repaints(
        GenerationRequest.prompts(List.of("a cat", "a dog"))
            .negativePrompt("x", "y")
            .scheduler("euler")
            .steps(2)
            .size(64, 64)
            .seed(5, 6)
            .build());
    assertEquals(List.of("a dog"), Provenance.readRequest(folder.resolve("cat-1.png")).prompts());
  }

  @Test
  void severalPicturesVariedByTheirOwnSeeds() throws IOException {
    repaints(
        GenerationRequest.prompt("a cat")
            .imagesPerPrompt(2)
            .scheduler("euler")
            .steps(2)
            .size(64, 64)
            .seed(5, 6)
            .init(new Variation(new Init.FromNoise(), List.of(7L, 8L), 0.5))
            .build());
  }

  @Test
  void chosenSeedIsRecorded() throws IOException {
    repaints(GenerationRequest.prompt("a cat").steps(2).size(64, 64).build());
  }

  @Test
  void webUiText() throws IOException {
    GenerationRequest request =
        GenerationRequest.prompt("a cat")
            .negativePrompt("dog")
            .steps(2)
            .size(64, 48)
            .guidanceScale(4)
            .seed(11)
            .build();
    Path file = pipeline.generate(request).save(folder.resolve("cat.png")).get(0);
    A1111Parameters read = A1111Parameters.parse(Png.readTexts(file).get(Png.PARAMETERS));
    assertEquals("a cat", read.prompt());
    assertEquals("dog", read.negativePrompt());
    assertEquals("2", read.settings().get("Steps"));
    assertEquals("PNDM", read.settings().get("Sampler"));
    assertEquals("4", read.settings().get("CFG scale"));
    assertEquals("11", read.settings().get("Seed"));
    assertEquals("64x48", read.settings().get("Size"));
  }

  @Test
  void aTasksFileNamesWhatItLacks() throws IOException {
    BufferedImage picture = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    GenerationRequest request =
        GenerationRequest.prompt("a cat")
            .steps(2)
            .seed(5)
            .init(new ImageToImage(Pictures.of(picture), 0.5))
            .build();
    Path file = pipeline.generate(request).save(folder.resolve("over.png")).get(0);
    String message =
        assertThrows(ModelFormatException.class, () -> Provenance.readRequest(file)).getMessage();
    assertTrue(message.contains("lacks the picture that it was painted over"), message);
  }

  @Test
  void pictureOfAnotherProgram() throws IOException {
    Path file = folder.resolve("other.png");
    Png.write(
        new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB), Map.of("parameters", "a cat"), file);
    assertThrows(ModelFormatException.class, () -> Provenance.readRequest(file));
  }
}
