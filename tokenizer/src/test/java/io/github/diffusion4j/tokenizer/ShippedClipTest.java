package io.github.diffusion4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShippedClipTest {

  @TempDir Path folder;

  private static final List<String> TEXTS =
      List.of("", "a photo of a cat", "Ünïcode 猫 🙂 1234, it's", "word ".repeat(100), "\t\0\u00ad");

  @Test
  void readsTextsAsThePublishedModelDoes() throws IOException {
    try (Tokenizer shipped = Tokenizers.clip("<|endoftext|>", TokenizerOptions.DEFAULTS);
        Tokenizer published = Tokenizers.load(Goldens.bundled("tokenizers").resolve("clip-sd1"))) {
      assertEquals(published.maxLength(), shipped.maxLength());
      assertEquals(published.frame(), shipped.frame());
      for (String text : TEXTS) {
        assertEquals(published.encode(text), shipped.encode(text));
      }
    }
  }

  @Test
  void fillsUpAsOpenClipDoes() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.clip("!", TokenizerOptions.DEFAULTS)) {
      TokenIds ids = tokenizer.encode("cat");
      assertEquals(
          List.of(49406, 2368, 49407, 0), List.of(ids.id(0), ids.id(1), ids.id(2), ids.id(3)));
      assertEquals(0, ids.id(76));
    }
  }

  @Test
  void theVocabularyIsThePublishedOne() throws IOException {
    Path published = Goldens.bundled("tokenizers").resolve("clip-sd1");
    ObjectMapper json = new ObjectMapper();
    assertEquals(
        json.readTree(Files.readString(published.resolve("vocab.json"))),
        json.readTree(ShippedClip.texts().vocabulary()));
  }

  @Test
  void whatIsWrittenReadsTheSame() throws IOException {
    Tokenizers.writeClip("!", folder);
    try (Tokenizer shipped = Tokenizers.clip("!", TokenizerOptions.DEFAULTS);
        Tokenizer written = Tokenizers.load(folder)) {
      assertEquals(shipped.frame(), written.frame());
      for (String text : TEXTS) {
        assertEquals(shipped.encode(text), written.encode(text));
      }
    }
  }

  @Test
  void takesWordsOfTextualInversion() throws IOException {
    TokenizerOptions options = TokenizerOptions.DEFAULTS.withAddedTokens(List.of("<cat>"));
    try (Tokenizer tokenizer = Tokenizers.clip("!", options)) {
      assertEquals(49408, tokenizer.tokenize("a <cat>").get(1).id());
    }
  }

  @Test
  void anUnknownPadTokenIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Tokenizers.clip("<padding>", TokenizerOptions.DEFAULTS));
  }
}
