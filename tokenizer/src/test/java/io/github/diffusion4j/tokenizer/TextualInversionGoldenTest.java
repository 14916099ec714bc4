package io.github.diffusion4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Ids of prompts with added words, as the reference gives them. */
class TextualInversionGoldenTest {
  @TestFactory
  List<DynamicTest> addedWordsHaveTheirIds() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Map.Entry<Path, JsonNode> file :
        Goldens.all("pipelines", json -> json.has("textual_inversion")).entrySet()) {
      JsonNode cases = file.getValue().path("textual_inversion");
      assertFalse(cases.isEmpty(), "no cases");
      Map<String, long[]> ids = idsByCase(file.getKey().resolveSibling("ti_golden.safetensors"));
      for (JsonNode golden : cases) {
        long[] expected = ids.get(golden.path("name").asText());
        tests.add(dynamicTest(golden.path("prompt").asText(), () -> check(golden, expected)));
      }
    }
    return tests;
  }

  private static void check(JsonNode golden, long[] expected) throws IOException {
    Map<Integer, String> words = new TreeMap<>();
    golden
        .path("added_tokens")
        .properties()
        .forEach(word -> words.put(word.getValue().intValue(), word.getKey()));
    TokenizerOptions options =
        TokenizerOptions.DEFAULTS.withAddedTokens(List.copyOf(words.values()));
    Path tiny = Goldens.find("tokenizers", "clip-tiny");
    try (Tokenizer tokenizer = Tokenizers.load(tiny, options)) {
      TokenIds encoded = tokenizer.encode(golden.path("converted_prompt").asText());
      assertArrayEquals(expected, encoded.toLongArray());
    }
  }

  /** The int64 tensors {@code <case>.input_ids} of the safetensors file. */
  private static Map<String, long[]> idsByCase(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(data.getLong());
    Map<String, long[]> tensors = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry :
        new ObjectMapper().readTree(bytes, 8, header).properties()) {
      if (entry.getKey().endsWith(".input_ids")) {
        int[] range = Goldens.ints(entry.getValue().path("data_offsets"));
        long[] ids = new long[(range[1] - range[0]) / Long.BYTES];
        data.position(8 + header + range[0]);
        data.asLongBuffer().get(ids);
        tensors.put(entry.getKey().replace(".input_ids", ""), ids);
      }
    }
    return tensors;
  }
}
