package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.pipeline.Provenance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptArgumentsTest {

  private static final Path GOLDENS = Path.of("../core/src/test/resources/goldens/pipelines");
  private static final String MODEL = "--model=" + GOLDENS.resolve("sd15-clip-skip/model");
  private static final String LONG = "a castle on a hill, ".repeat(30) + "at night";

  @TempDir Path folder;

  private Path picture(String name, String prompt, String... more) {
    Path file = folder.resolve(name + ".png");
    String[] fixed = {
      "generate",
      prompt,
      MODEL,
      "--seed=1",
      "--steps=2",
      "--width=64",
      "--height=64",
      "--out=" + file
    };
    String[] args = Arrays.copyOf(fixed, fixed.length + more.length);
    System.arraycopy(more, 0, args, fixed.length, more.length);
    Run run = Run.of(args);
    assertEquals(0, run.code(), run.err());
    return file;
  }

  @Test
  void theLanguageIsTakenAndRecordedInThePicture() throws IOException {
    Path file = picture("a", "a (red:1.4) cat", "--prompt-syntax=a1111", "--long-prompts=chunks");
    PromptOptions options =
        PromptOptions.of(PromptSyntax.WEB_UI).withLongPrompts(LongPrompts.CHUNKS);
    assertEquals(options, Provenance.readRequest(file).text().prompt());
    Run again = Run.of("generate", "--from=" + file, MODEL, "--out=" + folder.resolve("again.png"));
    assertEquals(0, again.code(), again.err());
    assertEquals(options, Provenance.readRequest(folder.resolve("again.png")).text().prompt());
  }

  @Test
  void clipSkipChangesThePicture() throws IOException {
    byte[] usual = Files.readAllBytes(picture("usual", "a cat"));
    Path skipped = picture("skipped", "a cat", "--clip-skip=2");
    assertFalse(Arrays.equals(usual, Files.readAllBytes(skipped)));
    assertEquals(2, Provenance.readRequest(skipped).text().clipSkip().orElseThrow());
  }

  @Test
  void embeddingsTeachWords() {
    Path weights = GOLDENS.resolve("weights");
    Run run =
        Run.of(
            "tokens",
            "a <my-cat> and style",
            MODEL,
            "--embedding=" + weights.resolve("ti_diffusers.safetensors"),
            "--embedding=style=" + weights.resolve("ti_webui.safetensors"));
    assertEquals(0, run.code(), run.err());
    for (String id : new String[] {"1000", "1001", "1002", "1003"}) {
      assertTrue(run.out().contains(" " + id + " "), run.out());
    }
    picture("cat", "a <my-cat>", "--embedding=" + weights.resolve("ti_diffusers.safetensors"));
  }

  @Test
  void tokensShowsPiecesWeightsChunksAndWhatIsCut() {
    Run plain = Run.of("tokens", LONG, MODEL);
    assertEquals(0, plain.code(), plain.err());
    assertTrue(plain.out().contains("chunk of 75 tokens, room for 75"), plain.out());
    assertTrue(plain.out().contains("cut: ") && plain.out().contains("at night"), plain.out());
    Run chunks = Run.of("tokens", LONG, MODEL, "--long-prompts=chunks");
    assertFalse(chunks.out().contains("cut: "), chunks.out());
    Run weighted =
        Run.of("tokens", "a (cat:1.3) AND a [dog:fox:0.5] :0.7", MODEL, "--prompt-syntax=a1111");
    assertTrue(weighted.out().contains(" 1.3 "), weighted.out());
    assertTrue(weighted.out().contains("weight 0.7, to step 10: a dog"), weighted.out());
    assertTrue(weighted.out().contains("weight 0.7, to step 20: a fox"), weighted.out());
    Run blend =
        Run.of("tokens", "(\"a cat\", \"a dog\").blend(0.7, 0.3)", MODEL, "--prompt-syntax=compel");
    assertTrue(blend.out().contains("blended by 0.7"), blend.out());
  }

  @Test
  void whatCannotBeIsOneClearLine() {
    Run syntax = Run.of("tokens", "a cat", MODEL, "--prompt-syntax=html");
    assertEquals(2, syntax.code());
    assertTrue(syntax.err().contains("[plain, a1111, compel]"), syntax.err());
    Run file = Run.of("tokens", "a cat", MODEL, "--embedding=missing.safetensors");
    assertEquals(1, file.code());
    assertTrue(file.err().contains("missing.safetensors"), file.err());
    Run skip = Run.of("generate", "a cat", MODEL, "--clip-skip=9", "--out=" + folder + "/");
    assertEquals(2, skip.code());
    assertTrue(skip.err().contains("0 to 3"), skip.err());
  }
}
