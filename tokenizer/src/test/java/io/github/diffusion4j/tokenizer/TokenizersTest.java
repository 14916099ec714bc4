package io.github.diffusion4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a tokenizer folder may hold, what a tokenizer gives beside its ids, and its life. */
class TokenizersTest {
  private static final Path CLIP = Goldens.bundled("tokenizers").resolve("clip-sd1");
  private static final Path TINY = Goldens.bundled("tokenizers").resolve("clip-tiny");
  private static final Path T5 = Goldens.bundled("tokenizers").resolve("t5-tiny");
  private static final List<String> FILES =
      List.of("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");

  @TempDir Path folder;

  private Path copy(Path source, String... leftOut) throws IOException {
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!List.of(leftOut).contains(name)) {
          Files.copy(file, folder.resolve(name));
        }
      }
    }
    return folder;
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  private String failure(int limit) {
    IOException e = assertThrows(IOException.class, () -> Tokenizers.load(folder, limit).close());
    assertEquals(TokenizerFormatException.class, e.getClass(), e::toString);
    return e.getMessage();
  }

  private void assertFails(String... parts) {
    String message = failure(Integer.MAX_VALUE);
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
  }

  // Tokens, offsets, what was cut

  @Test
  void tokensKnowTheirCharacters() throws IOException {
    String text = "A  \uD83D\uDE42 caf\u00e9\u2019s 12";
    try (Tokenizer tokenizer = Tokenizers.load(CLIP)) {
      List<String> words =
          tokenizer.tokenize(text).stream()
              .map(token -> text.substring(token.start(), token.end()))
              .toList();
      assertEquals(
          List.of("A", "\uD83D\uDE42", "caf\u00e9", "\u2019", "\u2019", "s", "1", "2"), words);
    }
  }

  @Test
  void whatDoesNotFitIsReported() throws IOException {
    String text = "One two  three, FOUR five";
    try (Tokenizer tokenizer = Tokenizers.load(CLIP)) {
      TokenIds ids = tokenizer.encode(text, 5);
      assertEquals(
          "three, FOUR five",
          TokenIds.of(text, tokenizer.tokenize(text), tokenizer.frame(), 4).cutText());
      assertEquals(", FOUR five", ids.cutText());
      assertEquals(
          List.of(",</w>", "four</w>", "five</w>"),
          ids.cutTokens().stream().map(Token::piece).toList());
      assertEquals(3, ids.tokens().size());
      assertArrayEquals(new long[] {1, 1, 1, 1, 1}, ids.attentionMask());
      assertEquals(49407, ids.id(4));
      assertEquals("", tokenizer.encode(text).cutText());
      assertEquals(List.of(), tokenizer.encode(text).cutTokens());
    }
  }

  @Test
  void idsAreCopiedIntoABatch() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(CLIP, 4)) {
      TokenIds ids = tokenizer.encode("cat");
      long[] wide = new long[9];
      int[] narrow = new int[9];
      ids.copyInto(wide, 4);
      ids.copyInto(narrow, 4);
      assertArrayEquals(new long[] {0, 0, 0, 0, 49406, 2368, 49407, 49407, 0}, wide);
      assertArrayEquals(new int[] {0, 0, 0, 0, 49406, 2368, 49407, 49407, 0}, narrow);
      assertArrayEquals(new long[] {49406, 2368, 49407, 49407}, ids.toLongArray());
      assertArrayEquals(new long[] {1, 1, 1, 0}, ids.attentionMask());
      assertEquals(ids, tokenizer.encode("CAT").equals(ids) ? ids : tokenizer.encode("cat"));
      assertEquals("TokenIds[length=4, attended=3, cut=0]", ids.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "clip-sd1, 'a Red cat, 12 caf\u00e9s', 'a red cat , 1 2 caf\u00e9s'",
    "t5-tiny, a red cat, a red cat"
  })
  void decodesWhatItEncoded(String name, String text, String decoded) throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(Goldens.bundled("tokenizers").resolve(name))) {
      assertEquals(decoded, tokenizer.decode(tokenizer.encode(text).toIntArray()));
      assertEquals("", tokenizer.decode());
      assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(-1));
    }
  }

  @Test
  void aVeryLongTextIsCutToTheModelsLength() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(CLIP)) {
      TokenIds ids = tokenizer.encode("word ".repeat(50_000));
      assertEquals(77, ids.length());
      assertEquals(49407, ids.id(76));
      assertEquals(50_000 - 75, ids.cutTokens().size());
    }
  }

  @Test
  void theFrameMustFit() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.load(TINY)) {
      assertEquals(new TokenFrame(List.of(998), List.of(999), 999), tokenizer.frame());
      assertArrayEquals(new int[] {998, 999}, tokenizer.encode("a cat", 2).toIntArray());
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("a cat", 1));
      assertEquals("length must be at least 2 special tokens, got 1", e.getMessage());
    }
  }

  // Length and special tokens from the config files

  @Test
  void theLengthIsTheLessOfConfigAndLimit() throws IOException {
    for (int[] pair : new int[][] {{77, 77}, {32, 32}, {100, 77}}) {
      try (Tokenizer tokenizer = Tokenizers.load(TINY, pair[0])) {
        assertEquals(pair[1], tokenizer.maxLength());
        assertEquals(pair[1], tokenizer.encode("a cat").length());
      }
    }
    assertThrows(IllegalArgumentException.class, () -> Tokenizers.load(TINY, 0));
  }

  @ParameterizedTest
  @CsvSource({"1000000000000000019884624838656", "1e30", "null"})
  void withoutALengthTheCallerMustGiveOne(String length) throws IOException {
    copy(TINY, "tokenizer_config.json");
    write("tokenizer_config.json", "{\"model_max_length\": " + length + "}");
    try (Tokenizer tokenizer = Tokenizers.load(folder, 77)) {
      assertEquals(77, tokenizer.maxLength());
    }
    assertFails("tokenizer_config.json", "model_max_length", "as limit");
  }

  @Test
  void aFolderWithoutConfigFilesIsClip() throws IOException {
    copy(TINY, "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json");
    try (Tokenizer files = Tokenizers.load(folder, 77);
        Tokenizer whole = Tokenizers.load(TINY)) {
      assertEquals(whole.encode("A cat, 12!"), files.encode("A cat, 12!"));
    }
  }

  @Test
  void tokensMayBeNamedInAnyForm() throws IOException {
    copy(TINY, "tokenizer_config.json", "special_tokens_map.json");
    write("tokenizer_config.json", "{\"model_max_length\": 8, \"pad_token\": null}");
    write("special_tokens_map.json", "{\"pad_token\": {\"content\": \"!\"}}");
    try (Tokenizer tokenizer = Tokenizers.load(folder)) {
      assertEquals(0, tokenizer.frame().pad());
      assertArrayEquals(
          new int[] {998, 320, 0, 999, 0, 0, 0, 0}, tokenizer.encode("a!").toIntArray());
    }
    write(
        "tokenizer_config.json",
        "{\"model_max_length\": 8, \"pad_token\": \"<|endoftext|>\", \"added_tokens_decoder\":"
            + " {\"999\": {\"content\": \"<|endoftext|>\", \"special\": true}}}");
    try (Tokenizer tokenizer = Tokenizers.load(folder)) {
      assertEquals(999, tokenizer.frame().pad(), "with added_tokens_decoder the map is old");
    }
  }

  @Test
  void wordsOfTextualInversionGetTheNextIds() throws IOException {
    List<String> words = List.of("<my-cat>", "<style>", "<style>_1");
    TokenizerOptions options = TokenizerOptions.DEFAULTS.withAddedTokens(words).withLimit(9);
    for (Path source : List.of(TINY, copy(TINY, "tokenizer.json"))) {
      try (Tokenizer tokenizer = Tokenizers.load(source, options)) {
        assertArrayEquals(
            new int[] {998, 320, 1000, 267, 1001, 1002, 999, 999, 999},
            tokenizer.encode("a <my-cat>, <style><style>_1").toIntArray());
      }
    }
    try (Tokenizer tokenizer = Tokenizers.load(T5, options)) {
      assertTrue(tokenizer.tokenize("a <style>").stream().anyMatch(token -> token.id() == 601));
    }
    TokenizerOptions known = options.withAddedTokens(List.of("cat</w>", "a</w>"));
    assertThrows(IllegalArgumentException.class, () -> Tokenizers.load(TINY, known));
    for (List<String> bad : List.of(List.of(""), List.of("a b"), List.of("x", "x"))) {
      assertThrows(IllegalArgumentException.class, () -> options.withAddedTokens(bad));
    }
  }

  // Folders that do not make a tokenizer

  @Test
  void missingFilesAreNamedWithTheRemedy() throws IOException {
    assertFails("expected tokenizer.json, or vocab.json and merges.txt", "none of them");
    write("spiece.model", "x");
    assertFails("only spiece.model", "SentencePiece", "save_pretrained");
    write("vocab.json", "{}");
    assertFails("vocab.json without merges.txt");
    Files.delete(folder.resolve("vocab.json"));
    write("merges.txt", "");
    assertFails("merges.txt without vocab.json");
    IOException e =
        assertThrows(IOException.class, () -> Tokenizers.load(folder.resolve("nowhere")));
    assertTrue(e.getMessage().contains("nowhere: no such folder"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '\'',
      value = {
        "vocab.json; ''; expected a JSON object of piece to id",
        "vocab.json; [1]; expected a JSON object of piece to id",
        "vocab.json; '{\"a\": 1, '; not JSON",
        "vocab.json; '{\"a\": \"x\"}'; id of \"a\" must be a number",
        "vocab.json; '{\"a\": -1}'; id of \"a\" must be a number",
        "vocab.json; '{\"a\": 99999999999}'; not JSON",
        "vocab.json; '{\"a\": 1}'; no special token <|startoftext|>",
        "merges.txt; 'a b c'; line 1 must be two pieces",
        "merges.txt; '#version: 0.2\n\nabc'; line 3 must be two pieces",
        "merges.txt; 'qqq zzz'; not a tokenizer",
        "tokenizer_config.json; '{'; not JSON",
        "tokenizer_config.json; '[]'; expected a JSON object",
        "tokenizer_config.json; '{\"model_max_length\": 0}'; model_max_length must be",
        "tokenizer_config.json; '{\"model_max_length\": \"x\"}'; model_max_length must be",
        "tokenizer_config.json; '{\"padding_side\": \"left\"}'; padding_side must be \"right\"",
        "tokenizer_config.json; '{\"added_tokens_decoder\": {\"x\": {}}}'; expected a token id",
        "tokenizer_config.json; '{\"model_max_length\": 9, \"tokenizer_class\": \"GPT2Tokenizer\"}'; tokenizer_class is GPT2Tokenizer",
        "special_tokens_map.json; '{\"pad_token\": \"[none]\"}'; no pad_token \"[none]\"",
        "tokenizer.json; ''; expected a JSON object",
        "tokenizer.json; '{\"version\": \"1.0\"'; not JSON",
        "tokenizer.json; '{\"version\": \"1.0\"}'; no pad_token",
        "tokenizer.json; '{\"added_tokens\":[{\"id\":5,\"content\":\"<|endoftext|>\"}],\"model\":{}}'; not a tokenizer"
      })
  void damagedFilesAreNamed(String file, String text, String problem) throws IOException {
    copy(TINY, file.equals("tokenizer.json") ? "" : "tokenizer.json");
    write(file, text == null ? "" : text.translateEscapes());
    assertFails(problem);
  }

  @Test
  void everyTruncationOfAFileIsAnErrorOrATokenizer() throws IOException {
    copy(TINY, "tokenizer.json");
    for (String file : FILES.subList(0, 3)) {
      String whole = Files.readString(TINY.resolve(file));
      for (int percent = 0; percent < 100; percent += 7) {
        write(file, whole.substring(0, whole.length() * percent / 100));
        try (Tokenizer tokenizer = Tokenizers.load(folder, 77)) {
          assertEquals(77, tokenizer.encode("a cat").length());
        } catch (TokenizerFormatException e) {
          assertTrue(e.file().startsWith(folder.toString()), e.getMessage());
        }
      }
      write(file, whole);
    }
  }

  @Test
  void invalidUtf8IsAnError() throws IOException {
    copy(TINY, "tokenizer.json");
    Files.write(folder.resolve("merges.txt"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertFails("merges.txt", "not UTF-8");
  }

  @Test
  void loadsFromAnyFileSystem() throws IOException {
    Path zip = folder.resolve("model.zip");
    try (FileSystem files = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      for (String name : FILES) {
        Files.copy(TINY.resolve(name), files.getPath(name));
      }
    }
    try (FileSystem files = FileSystems.newFileSystem(zip);
        Tokenizer zipped = Tokenizers.load(files.getPath("/"));
        Tokenizer plain = Tokenizers.load(TINY)) {
      assertEquals(plain.encode("a cat on the roof"), zipped.encode("a cat on the roof"));
    }
  }

  // Threads and closing

  @Test
  void threadsShareATokenizer() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Tokenizer tokenizer = Tokenizers.load(TINY)) {
      List<Future<Integer>> sums = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        sums.add(threads.submit(() -> sum(tokenizer)));
      }
      int alone = sum(tokenizer);
      for (Future<Integer> sum : sums) {
        assertEquals(alone, sum.get());
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static int sum(Tokenizer tokenizer) {
    int sum = 0;
    for (int i = 0; i < 500; i++) {
      sum = 31 * sum + tokenizer.encode("cat number " + i + ", on a roof").hashCode();
    }
    return sum;
  }

  @Test
  void closingWaitsForCallsAndIsRepeatable() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      for (int round = 0; round < 20; round++) {
        Tokenizer tokenizer = Tokenizers.load(TINY);
        List<Future<Integer>> calls = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          calls.add(threads.submit(() -> sum(tokenizer)));
        }
        Thread.sleep(round % 4);
        tokenizer.close();
        tokenizer.close();
        for (Future<Integer> call : calls) {
          try {
            call.get();
          } catch (ExecutionException e) {
            assertEquals(IllegalStateException.class, e.getCause().getClass(), e::toString);
          }
        }
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("a"));
        assertThrows(IllegalStateException.class, () -> tokenizer.decode(1));
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
