package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.PromptEmbeddings;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TextualInversion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the prompts' languages mean for whole generations. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PromptLanguageTest {

  private static final String LONG =
      "a castle on a hill with many towers, and boats on the water, ".repeat(8);
  private static final int STEPS = 6;

  private final Map<String, StableDiffusionPipeline> pipelines = new HashMap<>();

  @AfterAll
  void close() {
    pipelines.values().forEach(StableDiffusionPipeline::close);
  }

  private static Path model(String variant) {
    return Goldens.resource("/goldens/pipelines/" + variant + "/model");
  }

  private StableDiffusionPipeline pipeline(String variant) throws IOException {
    StableDiffusionPipeline known = pipelines.get(variant);
    if (known == null) {
      known =
          StableDiffusionPipeline.load(
              model(variant), RuntimeOptions.builder().intraOpThreads(1).build());
      pipelines.put(variant, known);
    }
    return known;
  }

  private static GenerationRequestBuilder request(PromptOptions options, String... prompts) {
    return GenerationRequest.prompts(List.of(prompts))
        .negativePrompt("bad")
        .size(64, 64)
        .steps(STEPS)
        .scheduler("euler")
        .guidanceScale(5)
        .seed(7)
        .text(TextOptions.DEFAULT.withPrompt(options));
  }

  private static GenerationRequestBuilder webUi(String... prompts) {
    return request(PromptOptions.of(PromptSyntax.WEB_UI), prompts);
  }

  private List<float[]> steps(String variant, GenerationRequestBuilder request) throws IOException {
    Recording recording = new Recording();
    pipeline(variant).generate(request.build(), recording);
    return recording.steps;
  }

  private float[] latents(String variant, GenerationRequestBuilder request) throws IOException {
    return steps(variant, request).get(STEPS - 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void aPromptWithoutSyntaxPaintsTheSameBitsInEveryLanguage(String variant) throws IOException {
    float[] plain = latents(variant, request(PromptOptions.PLAIN, "a red cat"));
    for (PromptSyntax syntax : PromptSyntax.values()) {
      assertArrayEquals(plain, latents(variant, request(PromptOptions.of(syntax), "a red cat")));
    }
    assertArrayEquals(plain, latents(variant, webUi("a (red:1.0) cat")));
    assertArrayEquals(plain, latents(variant, webUi("a [red:red:3] cat")));
    assertFalse(Arrays.equals(plain, latents(variant, webUi("a (red:1.4) cat"))));
  }

  @Test
  void anEditChangesThePictureFromItsStepOn() throws IOException {
    List<float[]> cat = steps("sd15", webUi("a cat"));
    List<float[]> edited = steps("sd15", webUi("a [cat:dog:3]"));
    for (int step = 0; step < STEPS; step++) {
      assertEquals(step <= 3, Arrays.equals(cat.get(step), edited.get(step)), "step " + step);
    }
  }

  @Test
  void negativePromptsChangeOverTheStepsToo() throws IOException {
    List<float[]> bad = steps("sd15", webUi("a cat"));
    List<float[]> edited = steps("sd15", webUi("a cat").negativePrompt("[bad:worse:3]"));
    for (int step = 0; step < STEPS; step++) {
      assertEquals(step <= 3, Arrays.equals(bad.get(step), edited.get(step)), "step " + step);
    }
  }

  @Test
  void alternatingTextsAreEncodedOnceEach() throws IOException {
    float[] turns = latents("sd15", webUi("a [cat|dog]"));
    assertFalse(Arrays.equals(turns, latents("sd15", webUi("a cat"))));
    assertFalse(Arrays.equals(turns, latents("sd15", webUi("a dog"))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void aPartOfWeightZeroChangesNothing(String variant) throws IOException {
    float[] alone = latents(variant, webUi("a cat"));
    assertArrayEquals(alone, latents(variant, webUi("a cat AND a dog :0")), 1e-3f);
    float[] both = latents(variant, webUi("a cat AND a dog"));
    assertFalse(Arrays.equals(alone, both));
    assertArrayEquals(both, latents(variant, webUi("a dog AND a cat")), 1e-3f);
  }

  @Test
  void onePartOfAnotherWeightIsAnotherGuidanceScale() throws IOException {
    assertArrayEquals(
        latents("sd15", webUi("a cat").guidanceScale(6)),
        latents("sd15", webUi("a cat :1.2").guidanceScale(5)),
        1e-3f);
  }

  @Test
  void promptsOfOneRequestMayHaveDifferentParts() throws IOException {
    float[] two = latents("sd15", webUi("a cat AND a dog", "a house").seed(7, 8));
    float[] house = latents("sd15", webUi("a house").seed(8));
    assertArrayEquals(house, Arrays.copyOfRange(two, house.length, 2 * house.length), 1e-3f);
  }

  @Test
  void partsOfDifferentLengthAreFilledUp() throws IOException {
    PromptOptions chunks =
        PromptOptions.of(PromptSyntax.WEB_UI).withLongPrompts(LongPrompts.CHUNKS);
    float[] a = latents("sd15", request(chunks, "a cat AND " + LONG));
    float[] b = latents("sd15", request(chunks, LONG + " AND a cat"));
    assertArrayEquals(a, b, 1e-3f);
  }

  @Test
  void longPromptsPaintOnSdxlToo() throws IOException {
    PromptOptions chunks = PromptOptions.PLAIN.withLongPrompts(LongPrompts.CHUNKS);
    assertFalse(
        Arrays.equals(
            latents("sdxl", request(chunks, LONG)),
            latents("sdxl", request(PromptOptions.PLAIN, LONG))));
  }

  @Test
  void joinedPromptsNeedGuidance() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> latents("sd15", webUi("a cat AND a dog").guidanceScale(1)))
            .getMessage();
    assertTrue(message.contains("above 1"), message);
  }

  @Test
  void composedGuidanceAddsWeightedDirections() {
    Guidance guidance = new Guidance.Composed(2, List.of(List.of(1.0, 0.5), List.of(0.25, 0.0)));
    float[] outputs = {1, 2, 3, 5, 9, 4};
    float[] dst = new float[2];
    guidance.start(1, new LatentShape(2, 1, 1, 1)).combine(outputs, dst);
    assertArrayEquals(new float[] {1 + 2 * (3 - 1) + 0.5f * (9 - 1), 2 + 1 * (5 - 2)}, dst);
    assertEquals(3, guidance.branches());
    assertThrows(
        IllegalArgumentException.class, () -> new Guidance.Composed(Double.NaN, List.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3", "flux"})
  void modelsThatReadPlainTextOnlySaySo(String variant) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> latents(variant, webUi("a cat")))
            .getMessage();
    assertTrue(message.contains("plain text only"), message);
  }

  private static PromptEmbeddings.Rows rows(Conditioning conditioning, String name, int branch) {
    Conditioning.Input input = conditioning.input(name);
    int length = input.values().length / 2;
    float[] values = Arrays.copyOfRange(input.values(), branch * length, (branch + 1) * length);
    return new PromptEmbeddings.Rows(name, Floats.of(values), input.rowShape());
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void givenEmbeddingsPaintWhatTheirPromptsPaint(String variant) throws IOException {
    GenerationRequest prompts = request(PromptOptions.PLAIN, "a cat", "a dog").build();
    StableDiffusionPipeline pipeline = pipeline(variant);
    Conditioning encoded =
        pipeline
            .stages()
            .encoder()
            .encode(prompts.resolve(pipeline.facts()), Guidance.of(5, 0), new CancelToken());
    List<String> names =
        variant.equals("sdxl")
            ? List.of("encoder_hidden_states", "text_embeds")
            : List.of("encoder_hidden_states");
    PromptEmbeddings given =
        new PromptEmbeddings(
            names.stream().map(name -> rows(encoded, name, 1)).toList(),
            names.stream().map(name -> rows(encoded, name, 0)).toList());
    TextOptions text = TextOptions.DEFAULT.withEmbeddings(given);
    assertArrayEquals(
        latents(variant, prompts.toBuilder()),
        latents(variant, request(PromptOptions.PLAIN, "", "").negativePrompt("").text(text)));
  }

  @Test
  void givenEmbeddingsMustFitTheRequest() {
    PromptEmbeddings three = PromptEmbeddings.of(new float[3 * 77 * 32], new float[0], 77, 32);
    TextOptions text = TextOptions.DEFAULT.withEmbeddings(three);
    assertThrows(
        IllegalArgumentException.class,
        () -> latents("sd15", request(PromptOptions.PLAIN, "", "").text(text)));
    PromptEmbeddings longer = PromptEmbeddings.of(new float[154 * 32], new float[0], 154, 32);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    latents(
                        "sd15",
                        request(PromptOptions.PLAIN, "")
                            .text(TextOptions.DEFAULT.withEmbeddings(longer))))
            .getMessage();
    assertTrue(message.contains("negative"), message);
    assertThrows(
        IllegalArgumentException.class,
        () -> PromptEmbeddings.of(new float[77 * 32 - 1], new float[0], 77, 32));
  }

  @Test
  void sdxlLearnsWordsForBothTextEncoders() throws IOException {
    Path file = Goldens.resource("/goldens/pipelines/weights/ti_sdxl.safetensors");
    TextualInversion word = TextualInversion.load(file, "<word>");
    try (StableDiffusionPipeline taught =
        StableDiffusionPipeline.load(
            model("sdxl"), RuntimeOptions.builder().intraOpThreads(1).build(), List.of(word))) {
      Recording recording = new Recording();
      taught.generate(request(PromptOptions.PLAIN, "a cat").build(), recording);
      assertArrayEquals(
          latents("sdxl", request(PromptOptions.PLAIN, "a cat")),
          recording.steps.get(STEPS - 1),
          1e-4f);
      Recording learned = new Recording();
      taught.generate(request(PromptOptions.PLAIN, "a <word>").build(), learned);
      assertFalse(Arrays.equals(recording.steps.get(STEPS - 1), learned.steps.get(STEPS - 1)));
    }
  }
}
