package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.PromptWeighting;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.TokenizedPrompt;
import io.github.diffusion4j.checkpoint.CheckpointHints;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.lora.LoraFiles;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ClipPromptEncoderTest {

  private static final Guidance GUIDED = Guidance.of(7.5, 0);
  private static final Guidance NONE = new Guidance.None();
  private static final String LONG =
      "a castle on a hill with many towers, and boats on the water, ".repeat(8);

  private final int before = NativeCount.open();
  private final Closer open = new Closer();
  private TextEncoder network;

  @AfterEach
  void close() {
    open.close();
    assertEquals(before, NativeCount.open(), "open native resources");
  }

  private ClipPromptEncoder encoder(String variant, RuntimeOptions.Builder options)
      throws IOException {
    Path model = Goldens.resource("/goldens/pipelines/" + variant + "/model");
    OrtRuntime runtime = OrtRuntime.of(options.intraOpThreads(1).build());
    network =
        new TextEncoder(
            open.own(Tokenizers.load(model.resolve("tokenizer"))),
            open.own(runtime.open("text_encoder", model.resolve("text_encoder/model.onnx"))));
    return new ClipPromptEncoder(network, ConfigFile.read(model, "text_encoder/config.json"));
  }

  private ClipPromptEncoder encoder() throws IOException {
    return encoder("sd15", RuntimeOptions.builder());
  }

  private static GenerationRequest request(String prompt, String negative, PromptOptions options) {
    return GenerationRequest.prompt(prompt)
        .negativePrompt(negative)
        .text(TextOptions.DEFAULT.withPrompt(options))
        .build();
  }

  private static float[] values(Conditioning conditioning) {
    return conditioning.input("encoder_hidden_states").values();
  }

  private static float[] embed(ClipPromptEncoder encoder, String prompt, PromptOptions options) {
    return values(encoder.encode(request(prompt, "", options), NONE, new CancelToken()));
  }

  @ParameterizedTest
  @CsvSource({
    "WEB_UI, a (red:1.0) cat",
    "WEB_UI, a [(red)] cat",
    "COMPEL, a (red)1.0 cat",
    "WEB_UI, a red cat",
    "COMPEL, a red cat"
  })
  void weightOneIsBitEqualToPlainText(PromptSyntax syntax, String prompt) throws IOException {
    ClipPromptEncoder encoder = encoder();
    for (PromptWeighting weighting : PromptWeighting.values()) {
      assertArrayEquals(
          embed(encoder, "a red cat", PromptOptions.PLAIN),
          embed(encoder, prompt, PromptOptions.of(syntax).withWeighting(weighting)),
          prompt);
    }
  }

  @Test
  void theWebUisRuleMultipliesAndRestoresTheMean() throws IOException {
    ClipPromptEncoder encoder = encoder();
    float[] plain = embed(encoder, "a red cat", PromptOptions.PLAIN);
    float[] weighted = embed(encoder, "a (red:1.5) cat", PromptOptions.of(PromptSyntax.WEB_UI));
    double before = 0;
    double after = 0;
    float[] expected = plain.clone();
    for (int i = 0; i < plain.length; i++) {
      before += plain[i];
      expected[i] *= i / 32 == 2 ? 1.5f : 1; // start, a, red
      after += expected[i];
    }
    for (int i = 0; i < plain.length; i++) {
      expected[i] *= (float) (before / after);
    }
    assertArrayEquals(expected, weighted, 1e-6f);
    assertFalse(Arrays.equals(plain, weighted));
  }

  @Test
  void plainTextKeepsItsBrackets() throws IOException {
    ClipPromptEncoder encoder = encoder();
    assertFalse(
        Arrays.equals(
            embed(encoder, "a (red:1.0) cat", PromptOptions.PLAIN),
            embed(encoder, "a red cat", PromptOptions.PLAIN)));
  }

  @ParameterizedTest
  @EnumSource(PromptSyntax.class)
  void longPromptsInChunksHaveTheNegativeAtEqualLength(PromptSyntax syntax) throws IOException {
    ClipPromptEncoder encoder = encoder();
    PromptOptions chunks = PromptOptions.of(syntax).withLongPrompts(LongPrompts.CHUNKS);
    Conditioning.Input input =
        encoder
            .encode(request(LONG, "bad", chunks), GUIDED, new CancelToken())
            .input("encoder_hidden_states");
    int tokens = input.rowShape().get(0);
    assertTrue(tokens > 77 && tokens % 77 == 0, input.rowShape().toString());
    int chunk = 77 * 32;
    float[] row = Arrays.copyOf(input.values(), input.rowElements());
    assertArrayEquals(embed(encoder, "bad", PromptOptions.PLAIN), Arrays.copyOf(row, chunk));
    float[] empty = embed(encoder, "", PromptOptions.PLAIN);
    for (int from = chunk; from < row.length; from += chunk) {
      assertArrayEquals(empty, Arrays.copyOfRange(row, from, from + chunk));
    }
  }

  @Test
  void firstChunkOfALongPromptIsWhatTruncationKeeps() throws IOException {
    ClipPromptEncoder encoder = encoder();
    float[] cut = embed(encoder, LONG, PromptOptions.PLAIN);
    float[] whole = embed(encoder, LONG, PromptOptions.PLAIN.withLongPrompts(LongPrompts.CHUNKS));
    assertArrayEquals(cut, Arrays.copyOf(whole, cut.length));
    TokenizedPrompt tokenized = TokenizedPrompt.of(network.tokenizer(), LONG, PromptOptions.PLAIN);
    assertEquals(network.tokenizer().encode(LONG).cutText(), tokenized.cut().get(0));
  }

  @Test
  void breakStartsAChunkAlsoWhereLongPromptsAreCut() throws IOException {
    ClipPromptEncoder encoder = encoder();
    float[] joined = embed(encoder, "a cat BREAK a dog", PromptOptions.of(PromptSyntax.WEB_UI));
    float[] cat = embed(encoder, "a cat", PromptOptions.PLAIN);
    float[] dog = embed(encoder, "a dog", PromptOptions.PLAIN);
    assertArrayEquals(cat, Arrays.copyOf(joined, cat.length));
    assertArrayEquals(dog, Arrays.copyOfRange(joined, cat.length, joined.length));
  }

  @Test
  void equalPromptsAreEncodedOnceByAllThreads() throws Exception {
    ClipPromptEncoder encoder = encoder();
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Future<float[]>> results = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        results.add(
            threads.submit(
                () ->
                    values(
                        encoder.encode(
                            request("a cat", "bad", PromptOptions.PLAIN),
                            GUIDED,
                            new CancelToken()))));
      }
      for (Future<float[]> result : results) {
        assertArrayEquals(results.get(0).get(), result.get());
      }
    } finally {
      threads.shutdown();
    }
    assertEquals(2, network.runs());
    encoder.encode(
        request("a cat", "bad", PromptOptions.of(PromptSyntax.WEB_UI)), GUIDED, new CancelToken());
    assertEquals(2, network.runs(), "the same tokens in another language");
  }

  @Test
  void theCacheCanBeTurnedOff() throws IOException {
    ClipPromptEncoder encoder = encoder("sd15", RuntimeOptions.builder().promptCacheBytes(0));
    float[] first = embed(encoder, "a cat", PromptOptions.PLAIN);
    assertArrayEquals(first, embed(encoder, "a cat", PromptOptions.PLAIN));
    assertEquals(2, network.runs());
  }

  @Test
  void whatIsHandedOutMayBeChangedWithoutHarmToTheCache() throws IOException {
    ClipPromptEncoder encoder = encoder();
    float[] first = embed(encoder, "a cat", PromptOptions.PLAIN);
    float[] copy = first.clone();
    Arrays.fill(first, 0);
    assertArrayEquals(copy, embed(encoder, "a cat", PromptOptions.PLAIN));
  }

  @Test
  void clipSkipWithoutHiddenStatesNamesTheRemedy() throws IOException {
    ClipPromptEncoder encoder = encoder();
    GenerationRequest request =
        GenerationRequest.prompt("a cat").text(TextOptions.DEFAULT.withClipSkip(1)).build();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> encoder.encode(request, NONE, new CancelToken()))
            .getMessage();
    assertTrue(message.contains("output_hidden_states"), message);
  }

  @Test
  void clipSkipBeyondTheLayersNamesTheRange() throws IOException {
    ClipPromptEncoder encoder = encoder("sd15-clip-skip", RuntimeOptions.builder());
    GenerationRequest request =
        GenerationRequest.prompt("a cat").text(TextOptions.DEFAULT.withClipSkip(4)).build();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> encoder.encode(request, NONE, new CancelToken()))
            .getMessage();
    assertTrue(message.contains("0 to 3") && message.contains("got 4"), message);
  }

  @Test
  void clipSkipOfNegativePromptsIsThatOfTheLanguagesOwnProgram() throws IOException {
    ClipPromptEncoder encoder = encoder("sd15-clip-skip", RuntimeOptions.builder());
    for (PromptSyntax syntax : PromptSyntax.values()) {
      TextOptions text = TextOptions.DEFAULT.withPrompt(PromptOptions.of(syntax)).withClipSkip(2);
      float[] rows =
          values(
              encoder.encode(
                  GenerationRequest.prompt("a cat").negativePrompt("a cat").text(text).build(),
                  GUIDED,
                  new CancelToken()));
      float[] negative = Arrays.copyOf(rows, rows.length / 2);
      float[] positive = Arrays.copyOfRange(rows, rows.length / 2, rows.length);
      assertEquals(syntax == PromptSyntax.WEB_UI, Arrays.equals(negative, positive));
    }
  }

  @Test
  void sharesThatCannotBeDividedAreRefused() throws IOException {
    ClipPromptEncoder encoder = encoder();
    assertThrows(
        IllegalArgumentException.class,
        () ->
            embed(
                encoder,
                "(\"a cat\", \"a dog\").blend(1, -1)",
                PromptOptions.of(PromptSyntax.COMPEL)));
  }

  @Test
  void keptResultsDoNotKeepTheChangesOfLoras() throws Exception {
    encoder("sd15-clip-skip", RuntimeOptions.builder());
    WeakReference<LowRank> change = encodedWithALora();
    for (int i = 0; i < 100 && change.get() != null; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(change.get(), "the LoRA's numbers are still in memory");
    encodedWithALora();
    assertEquals(1, network.runs(), "the result is kept");
  }

  private WeakReference<LowRank> encodedWithALora() throws IOException {
    Path file = Goldens.resource("/goldens/pipelines/weights/lora_diffusers.safetensors");
    LoraSet loras = new LoraFiles().read(List.of(Lora.of(file)));
    network
        .with(loras)
        .encode(new long[77], "last_hidden_state", Optional.empty(), new CancelToken());
    return new WeakReference<>(loras.of("text_encoder").values().iterator().next());
  }

  @Test
  void theNormOfACheckpointInOneFileIsItsOwn(@TempDir Path folder) throws IOException {
    Path pipelines = Goldens.resource("/goldens/pipelines");
    Path configs = folder.resolve("configs");
    for (String file :
        List.of(
            "model_index.json",
            "text_encoder/config.json",
            "unet/config.json",
            "vae/config.json",
            "scheduler/scheduler_config.json")) {
      Files.createDirectories(configs.resolve(file).getParent());
      Files.copy(pipelines.resolve("weights/sd15").resolve(file), configs.resolve(file));
    }
    Path tokenizer = Files.createDirectories(configs.resolve("tokenizer"));
    try (Stream<Path> files = Files.list(pipelines.resolve("sd15/model/tokenizer"))) {
      for (Path file : files.toList()) {
        Files.copy(file, tokenizer.resolve(file.getFileName().toString()));
      }
    }
    Path file = folder.resolve("model.safetensors");
    Files.copy(pipelines.resolve("weights/sd15_single_file.safetensors"), file);
    float[] expected = skipped(file, configs);
    Files.writeString(folder.resolve("config.json"), "{\"layer_norm_eps\": 1}"); // another's
    assertArrayEquals(expected, skipped(file, configs));
  }

  private static float[] skipped(Path file, Path configs) throws IOException {
    ModelLayout layout = ModelLayout.of(file, CheckpointHints.NONE.withConfigs(configs));
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    GenerationRequest request =
        GenerationRequest.prompt("a red cat").text(TextOptions.DEFAULT.withClipSkip(1)).build();
    try (Stages stages = Families.of(layout).open(layout, runtime)) {
      return values(stages.encoder().encode(request, NONE, new CancelToken()));
    }
  }
}
