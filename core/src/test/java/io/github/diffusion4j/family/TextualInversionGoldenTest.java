package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Ids and hidden states of prompts with learned words against diffusers. */
class TextualInversionGoldenTest {

  private static final float TOLERANCE = 1e-4f;
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  @TestFactory
  List<DynamicTest> cases() throws IOException {
    List<DynamicTest> tests = of(Goldens.folder("pipelines"));
    return tests.isEmpty() ? of(Goldens.resource("/goldens/pipelines")) : tests;
  }

  private static List<DynamicTest> of(Path root) throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> folders = Files.list(root)) {
      for (Path folder : folders.sorted().toList()) {
        Path file = folder.resolve("cases.json");
        JsonNode json = Files.exists(file) ? JSON.readTree(file.toFile()) : null;
        if (json != null && json.has("textual_inversion")) {
          for (JsonNode golden : json.get("textual_inversion")) {
            tests.add(
                DynamicTest.dynamicTest(
                    folder.getFileName() + " " + golden.get("prompt"),
                    () -> check(folder, golden)));
          }
        }
      }
    }
    return tests;
  }

  /** The words in the golden's order: one is named in its file, the other by the golden. */
  private static List<TextualInversion> inversions(Path folder, JsonNode golden)
      throws IOException {
    TextualInversion named = TextualInversion.load(folder.resolve("ti_diffusers.safetensors"));
    List<TextualInversion> inversions = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    golden.get("added_tokens").fieldNames().forEachRemaining(tokens::add);
    for (String token : tokens) {
      if (token.equals(named.token())) {
        inversions.add(named);
      } else if (inversions.stream().noneMatch(known -> known.tokens().contains(token))) {
        inversions.add(TextualInversion.load(folder.resolve("ti_webui.safetensors"), token));
      }
    }
    assertEquals(tokens, inversions.stream().flatMap(known -> known.tokens().stream()).toList());
    return inversions;
  }

  private static void check(Path folder, JsonNode golden) throws IOException {
    Path model = folder.resolveSibling("sd15-clip-skip").resolve("model");
    List<TextualInversion> inversions = inversions(folder, golden);
    String prompt = golden.get("prompt").asText();
    ModelLayout layout = ModelLayout.of(model).with(inversions);
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    try (SafetensorsFile tensors = SafetensorsFile.open(folder.resolve("ti_golden.safetensors"));
        Tokenizer tokenizer =
            new TextualInversions(inversions, 0, 1)
                .tokenizer(options -> Tokenizers.load(model.resolve("tokenizer"), options), 77);
        Stages stages = Families.of(layout).open(layout, runtime)) {
      for (Map.Entry<String, JsonNode> token : golden.get("added_tokens").properties()) {
        assertEquals(
            token.getValue().asInt(),
            tokenizer.tokenize(token.getKey()).get(0).id(),
            token.getKey());
      }
      String name = golden.get("name").asText();
      assertArrayEquals(
          tensors.longs(name + ".input_ids"), tokenizer.encode(prompt).toLongArray(), "ids");
      GenerationRequest request = GenerationRequest.prompt(prompt).build().resolve(stages.facts());
      assertArrayEquals(
          tensors.floats(name + ".last_hidden_state"),
          stages
              .encoder()
              .encode(request, new Guidance.None(), new CancelToken())
              .input("encoder_hidden_states")
              .values(),
          TOLERANCE,
          "last_hidden_state");
      assertTrue(Families.of(layout).takesTextualInversions());
    }
  }
}
