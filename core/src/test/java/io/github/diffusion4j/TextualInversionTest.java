package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextualInversionTest {

  private static final Path MODEL = Goldens.resource("/goldens/pipelines/sd15/model");

  private static Path file(String name) {
    return Goldens.resource("/goldens/pipelines/weights/ti_" + name + ".safetensors");
  }

  private static TextualInversion word(String token, int count, int width) {
    return new TextualInversion(
        token, List.of(new TextualInversion.Vectors(Floats.of(new float[count * width]), width)));
  }

  @Test
  void theWordIsThatOfTheFileOrItsName() throws IOException {
    assertEquals("<my-cat>", TextualInversion.load(file("diffusers")).token());
    assertEquals("ti_webui", TextualInversion.load(file("webui")).token());
    assertEquals("own", TextualInversion.load(file("diffusers"), "own").token());
  }

  @Test
  void everyFurtherVectorIsATokenOfItsOwn() throws IOException {
    assertEquals(
        List.of("cat", "cat_1", "cat_2"), TextualInversion.load(file("webui"), "cat").tokens());
  }

  @Test
  void embeddingsForSdxlHaveTwoEncoders() throws IOException {
    TextualInversion sdxl = TextualInversion.load(file("sdxl"));
    assertEquals(List.of(16, 24), sdxl.encoders().stream().map(part -> part.width()).toList());
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> StableDiffusionPipeline.load(MODEL, RuntimeOptions.defaults(), List.of(sdxl)))
            .getMessage();
    assertTrue(message.contains("2 text encoders") && message.contains("has 1"), message);
  }

  @Test
  void aFileOfSomethingElseIsRefused() {
    ModelFormatException thrown =
        assertThrows(ModelFormatException.class, () -> TextualInversion.load(file("golden")));
    assertTrue(thrown.getMessage().contains("emb_params"), thrown.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "two words", "tab\t"})
  void aTokenIsAWord(String token) {
    assertThrows(IllegalArgumentException.class, () -> word(token, 1, 4));
  }

  @Test
  void aWordOfAnotherWidthIsRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    StableDiffusionPipeline.load(
                        MODEL, RuntimeOptions.defaults(), List.of(word("<cat>", 1, 768))))
            .getMessage();
    assertTrue(message.contains("768") && message.contains("32"), message);
  }

  @Test
  void aWordThatTheVocabularyHasIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            StableDiffusionPipeline.load(
                MODEL, RuntimeOptions.defaults(), List.of(word("<|endoftext|>", 1, 32))));
  }

  @Test
  void oneWordTwiceIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            StableDiffusionPipeline.load(
                MODEL,
                RuntimeOptions.defaults(),
                List.of(word("<cat>", 1, 32), word("<cat>", 1, 32))));
  }

  @Test
  void aLearnedWordPaints() throws IOException {
    TextualInversion cat = TextualInversion.load(file("diffusers"));
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(
            MODEL, RuntimeOptions.builder().intraOpThreads(1).build(), List.of(cat))) {
      GenerationRequest request =
          GenerationRequest.prompt("a <my-cat>").size(64, 64).steps(1).seed(1).build();
      assertEquals(64, pipeline.generate(request).image().getWidth());
    }
  }
}
