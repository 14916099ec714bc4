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
import java.util.Collection;
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

  @AfterAll
  static void closeAll() {
    OPEN.forEach(Tokenizer::close);
  }

  @TestFactory
  List<DynamicContainer> clip() throws IOException {
    List<DynamicContainer> tests = new ArrayList<>();
    for (JsonNode golden : prompts("padded_sd1")) {
      int length = golden.path("model_max_length").intValue();
      Checks sd1 = new Checks("input_ids", "padded_sd1", "attention_mask", length);
      Checks sd2 = new Checks("", "padded_sd2", "attention_mask_sd2", length);
      Checks tiny = new Checks("tiny_input_ids", "", "", length);
      add(tests, "clip-sd1", golden, sd1);
      add(tests, "clip-sd2", golden, sd2);
      add(tests, "clip-tiny", golden, tiny);
    }
    return tests;
  }

  @TestFactory
  List<DynamicContainer> t5() throws IOException {
    List<DynamicContainer> tests = new ArrayList<>();
    for (JsonNode golden : prompts("padded")) {
      int length = golden.path("max_length").intValue();
      Checks checks = new Checks("input_ids", "padded", "attention_mask", length);
      add(tests, golden.path("tokenizer").asText(), golden, checks);
    }
    return tests;
  }

  private static Collection<JsonNode> prompts(String field) {
    return Goldens.all("tokenizers", json -> json.at("/prompts/0").has(field)).values();
  }

  private static void add(List<DynamicContainer> tests, String name, JsonNode golden, Checks checks)
      throws IOException {
    for (Path folder : forms(name, tests.size())) {
      tests.add(container(folder, golden.path("prompts"), checks));
    }
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
  private static List<Path> forms(String name, int number) throws IOException {
    Path folder = Goldens.find("tokenizers", name);
    boolean whole =
        Files.exists(folder.resolve("vocab.json")) || Files.exists(folder.resolve("spiece.model"));
    Path vocabulary = whole ? folder : Goldens.find("tokenizers", "clip-sd1");
    Path source = Files.exists(folder.resolve("tokenizer.json")) ? folder : vocabulary;
    List<Path> forms = new ArrayList<>();
    if (Files.exists(source.resolve("tokenizer.json"))) {
      forms.add(copy(number + "-" + name + "-json", folder, source, List.of("tokenizer.json")));
    }
    if (Files.exists(vocabulary.resolve("vocab.json"))) {
      forms.add(
          copy(
              number + "-" + name + "-files",
              folder,
              vocabulary,
              List.of("vocab.json", "merges.txt")));
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
