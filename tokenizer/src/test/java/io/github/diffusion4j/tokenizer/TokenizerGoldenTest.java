package io.github.diffusion4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Ids and masks of the reference tokenizers, exactly, from each form of tokenizer folder. */
class TokenizerGoldenTest {
  private static final List<Tokenizer> OPEN = new ArrayList<>();

  @TempDir static Path temp;

  private final Path goldens = Goldens.folder("tokenizers");

  @AfterAll
  static void closeAll() {
    OPEN.forEach(Tokenizer::close);
  }

  @TestFactory
  List<DynamicContainer> clip() throws IOException {
    JsonNode golden = Goldens.read(goldens.resolve("clip.json"));
    int length = golden.path("model_max_length").intValue();
    List<DynamicContainer> tests = new ArrayList<>();
    for (Path folder : forms("clip-sd1")) {
      Checks sd1 = new Checks("input_ids", "padded_sd1", "attention_mask", length);
      tests.add(container(folder, golden.path("prompts"), sd1));
    }
    for (Path folder : forms("clip-sd2")) {
      Checks sd2 = new Checks("", "padded_sd2", "attention_mask_sd2", length);
      tests.add(container(folder, golden.path("prompts"), sd2));
    }
    for (Path folder : forms("clip-tiny")) {
      Checks tiny = new Checks("tiny_input_ids", "", "", length);
      tests.add(container(folder, golden.path("prompts"), tiny));
    }
    return tests;
  }

  @TestFactory
  List<DynamicContainer> t5() throws IOException {
    JsonNode golden = Goldens.read(goldens.resolve("t5.json"));
    Checks checks =
        new Checks("input_ids", "padded", "attention_mask", golden.path("max_length").intValue());
    List<DynamicContainer> tests = new ArrayList<>();
    for (Path folder : forms(golden.path("tokenizer").asText())) {
      tests.add(container(folder, golden.path("prompts"), checks));
    }
    return tests;
  }

  private record Checks(String ids, String padded, String mask, int length) {
    void run(Tokenizer tokenizer, JsonNode golden) {
      String prompt = golden.path("prompt").textValue();
      if (!ids.isEmpty()) {
        List<Integer> framed = new ArrayList<>(tokenizer.frame().before());
        tokenizer.tokenize(prompt).forEach(token -> framed.add(token.id()));
        framed.addAll(tokenizer.frame().after());
        assertArrayEquals(
            Goldens.ints(golden.path(ids)),
            framed.stream().mapToInt(Integer::intValue).toArray(),
            ids);
      }
      if (!padded.isEmpty()) {
        TokenIds encoded = tokenizer.encode(prompt, length);
        assertArrayEquals(Goldens.ints(golden.path(padded)), encoded.toIntArray(), padded);
        int[] attended =
            Arrays.stream(encoded.attentionMask()).mapToInt(Math::toIntExact).toArray();
        assertArrayEquals(Goldens.ints(golden.path(mask)), attended, mask);
      }
    }
  }

  private static DynamicContainer container(Path folder, JsonNode prompts, Checks checks)
      throws IOException {
    assertFalse(prompts.isEmpty(), "no prompts");
    Tokenizer tokenizer = Tokenizers.load(folder);
    OPEN.add(tokenizer);
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode prompt : prompts) {
      String name = tests.size() + " " + prompt.path("prompt");
      tests.add(dynamicTest(name, () -> checks.run(tokenizer, prompt)));
    }
    return dynamicContainer(folder.getFileName().toString(), tests);
  }

  /** One folder for tokenizer.json, one for vocab.json with merges.txt: as far as it has them. */
  private List<Path> forms(String name) throws IOException {
    Path folder = goldens.resolve(name);
    Path vocabulary =
        Files.exists(folder.resolve("vocab.json")) ? folder : goldens.resolve("clip-sd1");
    Path source = Files.exists(folder.resolve("tokenizer.json")) ? folder : vocabulary;
    List<Path> forms = new ArrayList<>();
    if (Files.exists(source.resolve("tokenizer.json"))) {
      forms.add(copy(name + "-json", folder, source, List.of("tokenizer.json")));
    }
    if (!name.startsWith("t5")) {
      forms.add(copy(name + "-files", folder, vocabulary, List.of("vocab.json", "merges.txt")));
    }
    assertFalse(forms.isEmpty(), "no tokenizer in " + folder);
    return forms;
  }

  private static Path copy(String name, Path configs, Path source, List<String> files)
      throws IOException {
    Path target = Files.createDirectories(temp.resolve(name));
    for (String file : List.of("tokenizer_config.json", "special_tokens_map.json")) {
      Files.copy(configs.resolve(file), target.resolve(file));
    }
    for (String file : files) {
      Files.copy(source.resolve(file), target.resolve(file));
    }
    return target;
  }
}
