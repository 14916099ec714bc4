package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.pipeline.Provenance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BatchFileTest {

  @TempDir Path folder;

  private Path pictures() {
    return folder.resolve("pictures");
  }

  private Run batch(String name, String text, String... more) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    List<String> args = new ArrayList<>(List.of("generate", "--batch-file=" + file, "--steps=1"));
    args.add("--out=" + pictures() + "/");
    args.addAll(Arrays.asList(more));
    return Run.of(args.toArray(String[]::new));
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> files = Files.list(pictures())) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  private List<JsonNode> manifest() throws IOException {
    List<JsonNode> entries = new ArrayList<>();
    for (String line : Files.readAllLines(pictures().resolve("manifest.jsonl"))) {
      entries.add(JsonMapper.builder().build().readTree(line));
    }
    return entries;
  }

  private static int painted(Run run) {
    return (int) run.out().lines().count();
  }

  @Test
  void aLinesOptionsGoBeforeTheCommandLines() throws IOException {
    String text =
        """
        {"prompt":"a fox","seed":7,"width":96,"negative":"dark","out":"fox.png","guidance":2}

        {"prompt":"a cat","seed":[3,1],"steps":2,"one-by-one":true,"guidance-method":"tangential"}
        """;
    Run run = batch("b.jsonl", text, "--height=96", "--seed=5", "--negative=red");
    assertEquals(0, run.code(), run.err());
    assertEquals(Set.of("fox.png", "a-cat-3.png", "a-cat-1.png", "manifest.jsonl"), files());
    Path fox = pictures().resolve("fox.png");
    assertEquals(96, PictureFile.read(fox).getWidth());
    assertEquals(96, PictureFile.read(fox).getHeight());
    assertEquals(List.of("dark"), Provenance.readRequest(fox).negativePrompts());
    assertEquals(2, Provenance.readRequest(fox).guidance().scale().orElseThrow());
    Path cat = pictures().resolve("a-cat-1.png");
    assertEquals("tangential", Provenance.readRequest(cat).guidance().method().label());
    assertEquals(128, PictureFile.read(cat).getWidth());
    assertEquals(List.of("red"), Provenance.readRequest(cat).negativePrompts());
    assertTrue(run.out().contains("(seed 1, 128x96, 2 steps"), run.out());
    List<JsonNode> entries = manifest();
    assertEquals(3, entries.size());
    assertEquals(1, entries.get(0).path("line").asInt());
    assertEquals("fox.png", entries.get(0).path("file").asText());
    assertEquals("96", entries.get(0).path("options").path("width").asText());
    assertEquals(3, entries.get(2).path("line").asInt());
    assertEquals(2, entries.get(2).path("picture").asInt());
    assertEquals(1, entries.get(2).path("seed").asInt());
    assertTrue(entries.get(2).path("seconds").asDouble() > 0);
  }

  @Test
  void readsCsvAndNumbersRowsThatSpanLines() throws IOException {
    String text =
        "\uFEFFprompt,seed,steps,out\r\n"
            + "\"a \"\"red\"\" fox,\nat night\",7,,fox.png\r\n"
            + "\r\n"
            + "a café,8,2,\r\n";
    Run run = batch("b.csv", text);
    assertEquals(0, run.code(), run.err());
    assertEquals(Set.of("fox.png", "a-cafe-8.png", "manifest.jsonl"), files());
    assertEquals("a \"red\" fox,\nat night", manifest().get(0).path("prompt").asText());
    assertEquals(2, manifest().get(0).path("line").asInt());
    assertEquals("a café", manifest().get(1).path("prompt").asText());
    assertEquals(5, manifest().get(1).path("line").asInt());
    assertTrue(run.out().contains("2 steps"), run.out());
  }

  @Test
  void textIsTakenAsItIs() throws IOException {
    Run run = batch("b.txt", "\uFEFFa {red|green} __fox__\n", "--seed=1");
    assertEquals(0, run.code(), run.err());
    assertEquals("a {red|green} __fox__", manifest().get(0).path("prompt").asText());
  }

  @Test
  void aLineHasItsLoras() throws IOException {
    String weights = "../core/src/test/resources/goldens/pipelines/weights/lora_";
    String kohya = weights + "kohya.safetensors";
    String peft = weights + "diffusers.safetensors:0.5";
    Lora first = Lora.of(Path.of("lora_kohya.safetensors"), 1);
    Lora second = Lora.of(Path.of("lora_diffusers.safetensors"), 0.5);
    String text =
        """
        {"prompt":"one","seed":1,"lora":"%s"}
        {"prompt":"two","seed":1,"lora":["%s","%s"]}
        """
            .formatted(kohya, kohya, peft);
    String model = "--model=../core/src/test/resources/goldens/pipelines/sd15-clip-skip/model";
    Run run = batch("b.jsonl", text, model, "--width=64", "--height=64");
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of(first), loras("one-1.png"));
    assertEquals(List.of(first, second), loras("two-1.png"));
    assertEquals(
        kohya + "," + peft, manifest().get(1).path("options").path("lora").asText(), "as given");
    String csv = "prompt,seed,lora\nthree,1,%s\nfour,1,\n".formatted(peft);
    run = batch("b.csv", csv, model, "--width=64", "--height=64", "--lora=" + kohya);
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of(second), loras("three-1.png"));
    assertEquals(List.of(first), loras("four-1.png"));
  }

  private List<Lora> loras(String picture) throws IOException {
    return Provenance.readRequest(pictures().resolve(picture)).loras();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "b.jsonl; {\"prompt\":\"a\",\"stepz\":2}; key \"stepz\": expected prompt or one of [",
        "b.jsonl; {\"prompt\":\"a\",\"embedding\":\"x\"}; key \"embedding\": expected prompt or",
        "b.jsonl; {\"prompt\":\"a\",\"steps\":\"2\"}; key \"steps\": expected a whole number, found \"2\"",
        "b.jsonl; {\"prompt\":\"a\",\"steps\":99999999999}; \"steps\": expected a whole number, found",
        "b.jsonl; {\"prompt\":\"a\",\"steps\":null}; key \"steps\": expected a whole number, found null",
        "b.jsonl; {\"prompt\":\"a\",\"steps\":0}; steps must be at least 1, got 0",
        "b.jsonl; {\"prompt\":\"a\",\"count\":0}; count must be at least 1, got 0",
        "b.jsonl; {\"prompt\":\"a\",\"seed\":[1,2.5]}; key \"seed\": expected a whole number or a list",
        "b.jsonl; {\"prompt\":\"a\",\"lora\":3}; key \"lora\": expected text or a list of texts, found 3",
        "b.jsonl; {\"prompt\":\"a\",\"lora\":[\"x\",3]}; key \"lora\": expected text or a list of texts",
        "b.jsonl; {\"prompt\":\"a\",\"lora\":[]}; key \"lora\": expected text or a list of texts",
        "b.jsonl; {\"prompt\":\"a\",\"one-by-one\":\"yes\"}; expected true or false, found \"yes\"",
        "b.jsonl; {\"prompt\":\"a\",\"feature-reuse\":2.5}; \"feature-reuse\": expected a whole number",
        "b.jsonl; {\"prompt\":\"a\",\"noise\":\"white\"}; key \"noise\": noise kind must be one of",
        "b.jsonl; {\"prompt\":\"a\",\"guidance-interval\":\"1\"}; key \"guidance-interval\": guidance interval",
        "b.jsonl; {\"prompt\":\"a\",\"guidance-method\":\"x\"}; key \"guidance-method\": guidance method",
        "b.jsonl; {\"prompt\":\"a\",\"long-prompts\":\"x\"}; key \"long-prompts\": expected one of",
        "b.jsonl; {\"prompt\":3}; key \"prompt\": expected text, found 3",
        "b.jsonl; {\"seed\":3}; key \"prompt\": expected text, found none",
        "b.jsonl; {\"prompt\":\"a\",\"prompt\":\"b\"}; uplicate",
        "b.jsonl; {\"prompt\":\"a\"; expected one JSON object",
        "b.jsonl; {\"prompt\":\"a\"} {}; expected one JSON object",
        "b.jsonl; [1]; expected one JSON object, found [1]",
        "b.jsonl; {\"prompt\":\"a\",\"out\":\"a.gif\"}; .gif",
        "b.jsonl; {\"prompt\":\"a\",\"out\":\"missing/a.png\"}; key \"out\": ",
        "b.jsonl; {\"prompt\":\"a\",\"out\":\"first.png\"}; key \"out\": expected a file of its own",
        "b.csv; a,x; key \"seed\": expected a whole number or a list of them, found \"x\"",
        "b.csv; ,1; key \"prompt\": expected text, found none",
        "b.csv; a; expected 2 cells as in the header, found 1",
        "b.csv; a,1,2; expected 2 cells as in the header, found 3",
        "b.csv; \"a; expected CSV"
      })
  void aBadLineIsFoundBeforeAnythingIsPainted(String name, String line, String message)
      throws IOException {
    String first =
        name.equals("b.csv") ? "prompt,seed" : "{\"prompt\":\"ok\",\"out\":\"first.png\"}";
    Run run = batch(name, first + "\n" + line + "\n");
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains(name + ", line 2"), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertFalse(Files.exists(pictures()) && !files().isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "prompt,stepz; key \"stepz\": expected prompt or one of",
        "prompt,seed,seed; key \"seed\": expected once, found twice",
        "seed; key \"prompt\": expected in the header"
      })
  void aBadHeaderIsFound(String header, String message) throws IOException {
    Run run = batch("b.csv", header + "\na,1\n");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("b.csv, line 1: " + message), run.err());
  }

  @Test
  void goesOnWhereItStopped() throws IOException {
    String text =
        "{\"prompt\":\"a fox\",\"seed\":1}\n{\"prompt\":\"a cat\"}\n{\"prompt\":\"an owl\"}\n";
    assertEquals(3, painted(batch("b.jsonl", text)));
    Set<String> all = files();
    Path manifest = pictures().resolve("manifest.jsonl");
    long seed = manifest().get(2).path("seed").asLong();

    Run again = batch("b.jsonl", text);
    assertEquals(0, again.code());
    assertEquals(0, painted(again), again.out());
    assertTrue(again.err().contains("3 there already"), again.err());

    byte[] bytes = Files.readAllBytes(manifest);
    Files.write(manifest, Arrays.copyOf(bytes, bytes.length - 1));
    assertEquals(0, painted(batch("b.jsonl", text)), "only the line's end is lost");

    Files.delete(pictures().resolve("an-owl-" + seed + ".png"));
    Files.write(manifest, Arrays.copyOf(bytes, bytes.length - 30));
    Run rest = batch("b.jsonl", text, "--seed=" + seed);
    assertEquals(1, painted(rest), "a cut line does not count: " + rest.out());
    assertEquals(all, files());
    assertEquals(3, manifest().size());
    assertEquals(0, painted(batch("b.jsonl", text)));

    Files.delete(pictures().resolve("a-fox-1.png"));
    assertEquals(1, painted(batch("b.jsonl", text)));
    assertEquals(all, files());
  }

  @Test
  void aChangedLineIsPaintedAgain() throws IOException {
    String fox = "{\"prompt\":\"a fox\",\"seed\":1,\"out\":\"fox.png\"}\n";
    String cat = "{\"prompt\":\"a cat\",\"seed\":1}\n";
    assertEquals(2, painted(batch("b.jsonl", fox + cat)));
    assertEquals(1, painted(batch("b.jsonl", fox.replace(":1", ":2") + cat)));
    assertEquals(1, painted(batch("b.jsonl", fox.replace("fox.png", "new.png") + cat)));
    assertEquals(1, painted(batch("b.jsonl", fox.replace("fox.png", "new.png") + "\n" + cat)));
    assertEquals(2, painted(batch("b.jsonl", fox + "\n" + cat, "--width=96")));
    String[] sameBits = {"--width=96", "--preview=1", "--residency=on-demand", "--threads=1"};
    assertEquals(0, painted(batch("b.jsonl", fox + "\n" + cat, sameBits)));
    assertEquals(2, painted(batch("b.jsonl", fox + "\n" + cat, "--width=96", "--memory=9g")));
    String[] planned = {"--width=96", "--memory=9g", "--residency=on-demand"};
    assertEquals(2, painted(batch("b.jsonl", fox + "\n" + cat, planned)));
    assertEquals(2, painted(batch("other.jsonl", fox + "\n" + cat, "--width=96")));
  }

  @Test
  void aPictureToPaintAgainIsReadOnceForAllLines() throws IOException {
    Path painted = folder.resolve("painted.png");
    Run run = Run.of("generate", "a fox", "--steps=1", "--seed=3", "--out=" + painted);
    assertEquals(0, run.code(), run.err());
    Path file = Files.writeString(folder.resolve("b.txt"), "a cat\nan owl\n");
    RequestOptions options = new RequestOptions();
    new CommandLine(options).parseArgs("--batch-file=" + file, "--from=" + painted);
    List<BatchLine> lines = BatchReader.read(file);
    assertEquals(3, options.jobs(lines.get(0), (line, other) -> 0).get(0).seed());
    Files.delete(painted);
    Job second = options.jobs(lines.get(1), (line, other) -> 0).get(0);
    assertEquals("an owl", second.prompt());
    assertEquals(3, second.seed());
  }

  private FeatureReuse reuse(String key, String... more) throws IOException {
    Path file = Files.writeString(folder.resolve("b.jsonl"), "{\"prompt\":\"a\"" + key + "}\n");
    List<String> args = new ArrayList<>(List.of("--batch-file=" + file));
    args.addAll(Arrays.asList(more));
    RequestOptions options = new RequestOptions();
    new CommandLine(options).parseArgs(args.toArray(String[]::new));
    BatchLine line = BatchReader.read(file).get(0);
    return options.jobs(line, (number, other) -> 0).get(0).request().featureReuse();
  }

  @Test
  void partsOfFeatureReuseMayComeFromDifferentPlaces() throws IOException {
    String[] both = {"--feature-reuse=3", "--feature-reuse-branch=2"};
    assertEquals(new FeatureReuse(3, 1), reuse(",\"feature-reuse-branch\":1", "--feature-reuse=3"));
    assertEquals(new FeatureReuse(5, 2), reuse(",\"feature-reuse\":5", both));
    assertEquals(new FeatureReuse(3, 2), reuse("", both));
    assertEquals(FeatureReuse.OFF, reuse(",\"feature-reuse\":1", both));
    assertEquals(new FeatureReuse(5, 2), reuse(",\"feature-reuse\":5", "--feature-reuse-branch=2"));
    for (String interval : List.of("", ",\"feature-reuse\":1")) {
      IllegalArgumentException thrown =
          assertThrows(
              IllegalArgumentException.class,
              () -> reuse(",\"feature-reuse-branch\":1" + interval, "--steps=2"));
      assertTrue(thrown.getMessage().contains("needs --feature-reuse of at least 2"));
    }
  }

  @Test
  void partsOfAPicturesFeatureReuseCanBeChanged() throws IOException {
    Path model = modelOfWeights(folder.resolve("model"));
    Path painted = folder.resolve("painted.png");
    Run run =
        Run.of(
            ("generate red --steps=2 --width=64 --height=64 --feature-reuse=3"
                    + " --feature-reuse-branch=1 --model=%s --out=%s")
                .formatted(model, painted)
                .split(" "));
    assertEquals(0, run.code(), run.err());
    String from = "--from=" + painted;
    assertEquals(new FeatureReuse(3, 1), reuse("", from));
    assertEquals(new FeatureReuse(5, 1), reuse("", from, "--feature-reuse=5"));
    assertEquals(new FeatureReuse(3, 0), reuse("", from, "--feature-reuse-branch=0"));
    assertEquals(FeatureReuse.OFF, reuse("", from, "--feature-reuse=1"));
    assertEquals(
        new FeatureReuse(5, 2), reuse(",\"feature-reuse-branch\":2", from, "--feature-reuse=5"));
  }

  /** A model of weights with what exports have beside. */
  static Path modelOfWeights(Path model) throws IOException {
    Path goldens = Path.of("../core/src/test/resources/goldens/pipelines");
    copy(goldens.resolve("weights/sd15"), model);
    copy(goldens.resolve("sd15-clip-skip/model/tokenizer"), model.resolve("tokenizer"));
    return model;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
  }

  @Test
  void numberedFilesStayWithTheirLines() throws IOException {
    Path file = Files.writeString(folder.resolve("b.txt"), "a fox\na cat\nan owl\n");
    Path picture = folder.resolve("p.png");
    String[] args = {
      "generate", "--batch-file=" + file, "--steps=1", "--seed=1", "--out=" + picture
    };
    assertEquals(3, painted(Run.of(args)));
    Files.delete(folder.resolve("p-1.png"));
    assertEquals(1, painted(Run.of(args)));
    Path cat = folder.resolve("p-1.png");
    assertEquals(List.of("a cat"), Provenance.readRequest(cat).prompts());
  }

  @Test
  void whatFailsWhilePaintingIsNotedAndTheRestGoesOn() throws IOException {
    String text =
        "{\"prompt\":\"a fox\",\"seed\":1,\"width\":100}\n{\"prompt\":\"a cat\",\"seed\":1}\n";
    Run run = batch("b.jsonl", text);
    assertEquals(1, run.code());
    assertEquals(Set.of("a-cat-1.png", "manifest.jsonl"), files());
    assertTrue(manifest().get(0).path("error").asText().contains("width must be a multiple of"));
    assertTrue(manifest().get(0).path("file").isMissingNode());
    assertTrue(run.err().contains("1 of 2 failed"), run.err());
    Run again = batch("b.jsonl", text, "--json");
    assertEquals(1, again.code());
    JsonNode json = JsonMapper.builder().build().readTree(again.out());
    assertEquals(0, json.path("pictures").size());
    assertEquals(1, json.path("skipped").asInt());
    assertEquals(1, json.path("failed").asInt());
  }

  @Test
  void choicesAreDrawnFromEachPicturesSeed() throws IOException {
    Path lists = Files.createDirectories(folder.resolve("lists"));
    Files.writeString(lists.resolve("animal.txt"), "fox\ncat\nowl\n");
    String line = "{\"prompt\":\"a {red|green} __animal__|at night\",\"seed\":7,\"count\":4}\n";
    Run run = batch("b.jsonl", line, "--wildcards=" + lists, "--matrix");
    assertEquals(0, run.code(), run.err());
    assertEquals(8, manifest().size());
    Set<String> prompts = new TreeSet<>();
    for (int i = 0; i < 8; i += 2) {
      String prompt = manifest().get(i).path("prompt").asText();
      assertTrue(prompt.matches("a (red|green) (fox|cat|owl)"), prompt);
      assertEquals(prompt + ", at night", manifest().get(i + 1).path("prompt").asText());
      assertEquals(7 + i / 2, manifest().get(i).path("seed").asInt());
      prompts.add(prompt);
    }
    assertTrue(prompts.size() > 1, prompts.toString());
    String second = manifest().get(2).path("prompt").asText();
    Path alone = folder.resolve("alone.png");
    String prompt = "a {red|green} __animal__";
    Run one =
        Run.of(
            "generate", prompt, "--seed=8", "--steps=1", "--wildcards=" + lists, "--out=" + alone);
    assertEquals(0, one.code(), one.err());
    assertEquals(List.of(second), Provenance.readRequest(alone).prompts());
    assertEquals(0, painted(batch("b.jsonl", line, "--wildcards=" + lists, "--matrix")));
  }

  @Test
  void badChoicesNameTheirLine() throws IOException {
    Run brace = batch("b.txt", "a fox\na {cat\n", "--templates");
    assertEquals(2, brace.code());
    assertTrue(brace.err().contains("b.txt, line 2: prompt, character 3"), brace.err());
    Run list = batch("b.txt", "a fox\na __cat__\n", "--templates");
    assertEquals(1, list.code());
    assertTrue(list.err().contains("b.txt, line 2: no wildcard list \"cat\""), list.err());
  }

  @Test
  void aManifestIsNothingElse() throws IOException {
    Path other = Files.writeString(folder.resolve("other.jsonl"), "{\"text\":\"mine\"}\n");
    Run run = batch("b.txt", "a fox\n", "--manifest=" + other);
    assertEquals(2, run.code());
    assertTrue(run.err().contains("other.jsonl, line 1: not a line of a manifest"), run.err());
    assertEquals("{\"text\":\"mine\"}\n", Files.readString(other));
    Run self = batch("b.txt", "a fox\n", "--manifest=" + folder.resolve("b.txt"));
    assertTrue(self.err().contains("choose another --manifest"), self.err());
    Run single = Run.of("generate", "a fox", "--manifest=" + other);
    assertEquals(2, single.code());
    assertTrue(single.err().contains("--manifest is for --batch-file"), single.err());
  }

  @Test
  void aSheetNeedsEveryPicture() throws IOException {
    String text = "a fox\na cat\n";
    assertEquals(3, painted(batch("b.txt", text, "--seed=1", "--grid")));
    assertEquals(3, painted(batch("b.txt", text, "--seed=1", "--grid")));
    String sizes = "{\"prompt\":\"a fox\",\"width\":96}\n{\"prompt\":\"a cat\"}\n";
    Run wrong = batch("b.jsonl", sizes, "--grid");
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("--grid: all lines must have the same size"), wrong.err());
  }
}
