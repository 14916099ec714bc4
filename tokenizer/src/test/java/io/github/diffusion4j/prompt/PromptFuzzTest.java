package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.tokenizer.Goldens;
import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whatever a user types: ids of the model's length with the end token, or our parse error. */
class PromptFuzzTest {
  private static final long SEED = Long.getLong("tests.seed", System.nanoTime());
  private static final String[] PIECES = {
    "cat",
    "a red dog",
    " ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ":",
    "1.3",
    ":0.5]",
    "\\",
    "\"",
    "+",
    "--",
    ",",
    ".",
    "BREAK",
    " AND ",
    "__x__",
    "__",
    ".blend(",
    ".and()",
    "\n",
    "\t",
    "\0",
    "<|endoftext|>",
    "<|startoftext|>",
    "!",
    "</s>",
    "caf\u00e9",
    "\u732b",
    "\uD83D\uDE42",
    "\uD83D",
    "\uDE42",
    "\u200d",
    "\ufffd",
    "e\u0301",
    "\u0130",
    "12345",
    "'s",
    "&amp;",
    "\u3000"
  };

  private static Tokenizer clip;
  private static Tokenizer t5;

  @BeforeAll
  static void open() throws IOException {
    System.out.println("PromptFuzzTest: replay with -Dtests.seed=" + SEED);
    clip = Tokenizers.load(Goldens.bundled("tokenizers").resolve("clip-sd1"));
    t5 = Tokenizers.load(Goldens.bundled("tokenizers").resolve("t5-tiny"), 77);
  }

  @AfterAll
  static void close() {
    clip.close();
    t5.close();
  }

  @Test
  void randomTexts() {
    run(SEED, 2_000);
  }

  @Test
  @Tag("slow")
  void manyRandomTexts() {
    run(SEED + 1, 100_000);
  }

  /** Code points without a character only here and there: the slow test takes every one. */
  @Test
  void everyCharacterAmongOthers() {
    StringBuilder text = new StringBuilder();
    for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
      int type = Character.getType(point);
      if (point % 61 == 0 || type != Character.UNASSIGNED && type != Character.PRIVATE_USE) {
        text.appendCodePoint(point).append(' ');
      }
      if (text.length() > 1_000 || point == Character.MAX_CODE_POINT) {
        encode(text.toString());
        text.setLength(0);
      }
    }
  }

  @Test
  @Tag("slow")
  void everyCodePointAlone() {
    for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
      String text = Character.toString(point);
      encode(text);
      parse(text);
    }
  }

  private static void run(long seed, int texts) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < texts; i++) {
      String text = random(random);
      encode(text);
      parse(text);
    }
  }

  private static String random(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int pieces = random.nextInt(40); pieces > 0; pieces--) {
      if (random.nextInt(4) > 0) {
        text.append(PIECES[random.nextInt(PIECES.length)]);
      } else {
        text.append((char) random.nextInt(1 << random.nextInt(1, 17)));
      }
    }
    return text.toString();
  }

  private static void encode(String text) {
    for (Tokenizer tokenizer : new Tokenizer[] {clip, t5}) {
      TokenIds ids = tokenizer.encode(text);
      assertEquals(tokenizer.maxLength(), ids.length());
      int end = tokenizer.frame().after().get(0);
      assertEquals(end, ids.id(ids.attendedLength() - 1));
      assertTrue(text.endsWith(ids.cutText()));
      assertEquals(ids.cutTokens().isEmpty(), ids.cutText().isEmpty());
    }
  }

  private static void parse(String text) {
    parseOrReject(text, prompt -> WebUiPrompt.parse(prompt, 7));
    parseOrReject(
        text, prompt -> PromptChunks.of(clip, Emphasis.parse(prompt), clip.maxLength(), 20));
    parseOrReject(text, CompelPrompt::parse);
    parseOrReject(text, PromptTemplate::parse);
    parseOrReject(text, PromptMatrix::expand);
  }

  private static void parseOrReject(String text, Consumer<String> parser) {
    try {
      parser.accept(text);
    } catch (PromptSyntaxException e) {
      assertTrue(e.position() >= 0 && e.position() <= text.length(), e.getMessage());
    }
  }
}
