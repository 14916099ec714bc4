package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.tensor.TensorStore;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerateCommandTest {

  private static final Path REFERENCE = Path.of("../core/src/test/resources/reference");
  private static final float LATENTS = 1e-3f;
  private static final float LEVEL = 2f / 255 + 1e-6f;

  @TempDir Path folder;

  private Path at(String name) {
    return folder.resolve(name);
  }

  private Run generate(String... more) {
    List<String> args =
        Stream.concat(Stream.of("generate", "--steps", "2", "--out", folder + "/"), Stream.of(more))
            .toList();
    return Run.of(args.toArray(String[]::new));
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static float[] pixels(Path file) throws IOException {
    BufferedImage image = PictureFile.read(file);
    return Images.toTensor(List.of(image));
  }

  @ParameterizedTest
  @CsvSource({
    "a red apple on a light blue background, 42, red-apple-seed42",
    "a rocket on a navy background, 1, rocket-seed1"
  })
  void repeatsTheReferencePictures(String prompt, String seed, String name) throws IOException {
    Path latents = at("latents.safetensors");
    Path picture = at("picture.png");
    Run run =
        Run.of(
            "generate",
            prompt,
            "--seed=" + seed,
            "--out=" + picture,
            "--save-latents=" + latents,
            "--provider=cpu");
    assertEquals(0, run.code(), run.err());
    try (TensorStore expected = TensorStore.open(REFERENCE.resolve(name + ".safetensors"));
        TensorStore found = TensorStore.open(latents)) {
      for (String tensor : expected.names()) {
        if (!tensor.equals("embeddings")) {
          assertEquals(expected.info(tensor).shape(), found.info(tensor).shape(), tensor);
          assertArrayEquals(expected.floats(tensor), found.floats(tensor), LATENTS, tensor);
        }
      }
      assertEquals(25 + 3, found.names().size());
      assertEquals(prompt, found.metadata().get("prompt"));
      assertEquals(seed, found.metadata().get("seeds"));
      assertEquals("emoji-ldm", found.metadata().get("model"));
      assertEquals("DDIM", found.metadata().get("scheduler"));
    }
    assertArrayEquals(pixels(REFERENCE.resolve(name + ".png")), pixels(picture), LEVEL);
  }

  @Test
  void savesTheSameLatentsEachTime() throws IOException {
    Path first = at("first.safetensors");
    Path second = at("second.safetensors");
    for (Path file : List.of(first, second)) {
      String[] args = {"a fox", "--seed=3", "--count=2", "--save-latents=" + file};
      assertEquals(0, generate(args).code());
    }
    assertEquals(-1, Files.mismatch(first, second));
    try (TensorStore tensors = TensorStore.open(first)) {
      assertEquals(List.of(2L, 32L, 16L, 16L), tensors.info("initial").shape());
      assertEquals(List.of(2L, 3L, 128L, 128L), tensors.info("image").shape());
      assertArrayEquals(tensors.floats("step.1"), tensors.floats("final"));
      assertEquals("3,4", tensors.metadata().get("seeds"));
    }
  }

  @Test
  void eachPictureOfACountIsThatOfItsSeed() throws IOException {
    Run many = generate("a fox", "--count=4", "--seed=7", "--grid");
    assertEquals(0, many.code(), many.err());
    assertEquals(
        List.of("a-fox-10.png", "a-fox-7-grid.png", "a-fox-7.png", "a-fox-8.png", "a-fox-9.png"),
        files());
    assertEquals(5, many.out().lines().count(), many.out());
    assertEquals(256, PictureFile.read(at("a-fox-7-grid.png")).getWidth());
    for (int seed = 7; seed <= 10; seed++) {
      assertTrue(many.out().contains("a-fox-" + seed + ".png  (seed " + seed + ","), many.out());
      assertEquals(0, generate("a fox", "--seed=" + seed).code());
      assertArrayEquals(
          pixels(at("a-fox-" + seed + ".png")), pixels(at("a-fox-" + seed + "-1.png")));
    }
  }

  @Test
  void takesAListOfSeeds() throws IOException {
    assertEquals(0, generate("a fox", "--seed=5,1").code());
    assertEquals(List.of("a-fox-1.png", "a-fox-5.png"), files());
    Run wrong = generate("a fox", "--seed=5,1", "--count=3");
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("one for each of the 3 pictures, got 2"), wrong.err());
  }

  @Test
  void choosesASeedAndTellsIt() throws IOException {
    Run run = generate("a fox");
    assertEquals(0, run.code(), run.err());
    String seed = run.out().replaceAll("(?s).*\\(seed (\\d+),.*", "$1");
    assertEquals(List.of("a-fox-" + seed + ".png"), files());
  }

  @Test
  void seedMinusOneIsARandomOne() throws IOException {
    assertEquals(0, generate("a fox", "--seed=9").code());
    Run run = generate("--from=" + at("a-fox-9.png"), "--seed=-1");
    assertEquals(0, run.code(), run.err());
    assertFalse(run.out().contains("seed -1"), run.out());
    assertFalse(run.out().contains("seed 9"), run.out());
  }

  @Test
  void variationsTurnTheFirstNoise() throws IOException {
    varied("own.png", "--seed=9");
    varied("other.png", "--seed=10");
    for (String strength : List.of("0", "0.3", "1")) {
      varied(
          strength + ".png", "--seed=9", "--variation-seed=10", "--variation-strength=" + strength);
    }
    assertArrayEquals(pixels(at("own.png")), pixels(at("0.png")), LEVEL);
    assertArrayEquals(pixels(at("other.png")), pixels(at("1.png")), LEVEL);
    Run again = Run.of("generate", "--from=" + at("0.3.png"), "--out=" + at("again.png"));
    assertEquals(0, again.code(), again.err());
    assertArrayEquals(pixels(at("0.3.png")), pixels(at("again.png")));
  }

  private void varied(String name, String... more) {
    List<String> args =
        Stream.concat(
                Stream.of("generate", "a fox", "--steps=2", "--out=" + at(name)), Stream.of(more))
            .toList();
    Run run = Run.of(args.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
  }

  @Test
  void neverReplacesAPictureItNamedItself() throws IOException {
    for (int i = 0; i < 3; i++) {
      assertEquals(0, generate("Crème  brûlée!", "--seed=1").code());
    }
    assertEquals(
        List.of("creme-brulee-1-1.png", "creme-brulee-1-2.png", "creme-brulee-1.png"), files());
  }

  @Test
  void paintsEveryLineOfAFile() throws IOException {
    Path prompts = Files.writeString(at("prompts.txt"), "a fox\n\na red apple\r\n");
    String[] args = {"--seed=1", "--steps=1", "--out=" + at("p.png")};
    Run run = Run.of("generate", "--batch-file=" + prompts, args[0], args[1], args[2]);
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("manifest.jsonl", "p-1.png", "p.png", "prompts.txt"), files());
  }

  @Test
  void paintsAPictureAgain() throws IOException {
    String[] unusual = {
      "a fox",
      "--seed=9",
      "--width=96",
      "--negative=dark",
      "--guidance=2.5",
      "--scheduler=euler",
      "--guidance-rescale=0.5",
      "--guidance-interval=0,0.5",
      "--guidance-schedule=cosine:1.5,1",
      "--guidance-method=apg:eta=0,norm_threshold=5",
      "--noise=numpy"
    };
    assertEquals(0, generate(unusual).code());
    Path painted = at("a-fox-9.png");
    Path again = at("again.png");
    Run run = Run.of("generate", "--from=" + painted, "--out=" + again);
    assertEquals(0, run.code(), run.err());
    assertArrayEquals(pixels(painted), pixels(again));
    Run other = Run.of("generate", "a cat", "--from=" + painted, "--out=" + at("cat.png"));
    assertEquals(0, other.code(), other.err());
    assertEquals(96, PictureFile.read(at("cat.png")).getWidth());
    assertTrue(other.out().contains("(seed 9, 96x128, 2 steps"), other.out());
  }

  @Test
  void printsOneJsonObject() throws IOException {
    Run run = generate("a fox", "--seed=1,2", "--json", "--grid=" + at("sheet.jpg"));
    assertEquals(0, run.code());
    assertEquals("", run.err());
    JsonNode json = JsonMapper.builder().build().readTree(run.out());
    assertEquals("emoji-ldm", json.path("model").asText());
    assertEquals(2, json.path("steps").asInt());
    assertEquals(2, json.path("pictures").size());
    assertEquals(2, json.path("pictures").path(1).path("seed").asLong());
    assertEquals(at("sheet.jpg").toString(), json.path("grid").asText());
    assertTrue(json.path("pictures").path(0).path("seconds").path("denoise").asDouble() > 0);
    json.path("pictures")
        .forEach(picture -> assertTrue(Files.exists(Path.of(picture.path("file").asText()))));
  }

  @Test
  void isQuietWhenNobodyWatches() {
    assertEquals("", generate("a fox").err());
    Run quiet = generate("a fox", "--quiet");
    assertEquals("", quiet.out() + quiet.err());
  }

  @Test
  void showsABarOnATerminal() {
    String[] args = {"generate", "a fox", "--steps=3", "--out=" + folder + "/"};
    Run run = Run.of(new Screen(true, 70), new CancelToken(), args);
    assertEquals(0, run.code());
    String last = run.err().stripTrailing().replaceAll("(?s).*\\r", "");
    assertTrue(last.matches("painting\\s+100%.*3/3.*it/s.*"), run.err());
    assertTrue(last.length() < 70, last);
  }

  @Test
  void cancelledLeavesNoFile() throws IOException {
    CancelToken cancel = new CancelToken();
    cancel.cancel();
    Run run = Run.of(Screen.NONE, cancel, "generate", "a fox", "--out=" + folder + "/");
    assertEquals(130, run.code());
    assertEquals("diffusion4j: cancelled", run.err().strip());
    assertEquals(List.of(), files());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "2 | a fox | --bogus | Unknown option: '--bogus' (see diffusion4j generate --help)",
        "2 | a fox | --steps=0 | steps must be at least 1, got 0",
        "2 | a fox | --steps=x | '--steps': 'x' is not an int",
        "2 | a fox | --count=0 | --count must be at least 1, got 0",
        "2 | a fox | --guidance=NaN | guidance scale must be a finite number, got NaN",
        "2 | a fox | --guidance-interval=0.5 | guidance interval must be START,END such as 0.2,0.8",
        "2 | a fox | --guidance-schedule=up | guidance schedule must be constant, linear, cosine",
        "2 | a fox | --guidance-method=apg:zeta=1 | apg takes KEY=NUMBER with the keys",
        "2 | a fox | --feature-reuse=0 | interval of the feature reuse must be at least 1 (1 is off), got 0",
        "2 | a fox | --feature-reuse=3 | is an ONNX file, which cannot be cut in two for feature reuse",
        "2 | a fox | --feature-reuse-branch=1 | --feature-reuse-branch needs --feature-reuse",
        "2 | a fox | --variation-strength=0.5 | --variation-strength needs --variation-seed",
        "2 | a fox | --seed=1,-1 | --seed -1 means a random seed and must stand alone",
        "2 | a fox | --width=100 | width must be a multiple of 32, got 100",
        "2 | a fox | --height=8000000 | use a smaller size",
        "2 | a fox | --scheduler=best | got best",
        "2 | a fox | --noise=white | noise kind must be one of",
        "2 | a fox | --provider=abacus | provider must be one of",
        "2 | a fox | --threads=-1 | --threads must be in [0, 1024], got -1",
        "2 | a fox | --batch-file=x | got a PROMPT and --batch-file",
        "2 | a fox | extra | extra",
        "2 | a fox | --out=a.gif | --out must end in .png, .jpg or .jpeg",
        "2 | a fox | --out=missing/a.png | there is no folder",
        "2 | a fox | --out=pom.xml/a.png | cannot write",
        "2 | a fox | --save-latents=missing/a.safetensors | there is no folder",
        "2 | a fox | --grid=missing/a.png | there is no folder",
        "1 | a fox | --model=missing | missing: no model there",
        "1 | a fox | --model=src | no model_index.json",
        "1 | a fox | --from=missing.png | missing.png: there is no such file",
      })
  void saysWhatIsWrong(int code, String prompt, String option, String message) throws IOException {
    Run run = Run.of("generate", prompt, option);
    assertTrue(run.err().toLowerCase().contains(message.toLowerCase()), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("diffusion4j: "), run.err());
    assertFalse(run.err().contains("unexpected"), run.err());
    assertEquals(code, run.code());
    assertEquals("", run.out());
  }

  @Test
  void wantsSomethingToPaint() {
    Run run = Run.of("generate");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("expected a PROMPT, --batch-file FILE or --from PNG"));
  }

  @Test
  void debugShowsTheTrace() {
    Run run = Run.of("generate", "a fox", "--model=missing", "--debug");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("\tat io.github.diffusion4j."), run.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "!!!", "???", "日本"})
  void aPromptWithoutLettersIsAPicture(String prompt) {
    assertEquals("picture", OutputNames.slug(prompt));
  }

  @Test
  void cutsLongNamesAtAWord() {
    String slug = OutputNames.slug("a very long prompt ".repeat(10_000));
    assertEquals("a-very-long-prompt-a-very-long-prompt-a-very-long-prompt-a", slug);
    assertEquals(60, OutputNames.slug("x".repeat(100)).length());
  }

  @Test
  void pictureThatCannotBeWrittenEndsTheRun() throws IOException {
    Path out = folder.resolve("fox.png");
    Files.createDirectories(folder.resolve("fox-1.png").resolve("in the way"));
    Run run = Run.of("generate", "a fox", "--count", "4", "--steps", "2", "--out", out.toString());
    assertEquals(Errors.FAILED, run.code(), run.err());
    assertTrue(run.err().contains("fox-1.png"), run.err());
    assertTrue(Files.isRegularFile(out), "what was painted before is kept");
    assertFalse(Files.exists(folder.resolve("fox-3.png")), "and no more is painted");
  }

  @Test
  void samePromptAndSeedInOneRunGetNamesOfTheirOwn() throws IOException {
    Path batch = folder.resolve("same.jsonl");
    String line = "{\"prompt\": \"a fox\", \"seed\": 7, \"steps\": 1}\n";
    Files.writeString(batch, line.repeat(3));
    Run run = Run.of("generate", "--batch-file", batch.toString(), "--out", folder.toString());
    assertEquals(0, run.code(), run.err());
    for (String name : new String[] {"a-fox-7.png", "a-fox-7-1.png", "a-fox-7-2.png"}) {
      assertTrue(Files.isRegularFile(folder.resolve(name)), run.out());
    }
  }

  @Test
  void optimizedNetworksAreKeptWhereAskedFor() throws IOException {
    String cache = "--optimized-cache=" + folder.resolve("networks");
    for (String name : new String[] {"first.png", "second.png"}) {
      Run run = Run.of("generate", "a fox", "--steps=1", "--seed=1", cache, "--out=" + at(name));
      assertEquals(0, run.code(), run.err());
    }
    try (Stream<Path> kept = Files.list(folder.resolve("networks"))) {
      assertEquals(3, kept.count(), "text encoder, UNet and decoder");
    }
  }
}
