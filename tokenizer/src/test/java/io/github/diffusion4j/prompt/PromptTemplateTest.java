package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTemplateTest {
  @TempDir Path folder;

  private static String draw(String template, long seed) throws IOException {
    return PromptTemplate.parse(template).draw(seed, Wildcards.none());
  }

  @Test
  void aSeedGivesTheSamePromptEverywhere() throws IOException {
    StringBuilder drawn = new StringBuilder();
    for (long seed = 0; seed < 12; seed++) {
      drawn.append(draw("{a|b|c}{d|e}", seed)).append(' ');
    }
    StringBuilder expected = new StringBuilder();
    for (long seed = 0; seed < 12; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      expected.append("abc".charAt((int) Math.floor((random.nextLong() >>> 33) * 3 / 0x1p31)));
      expected.append("de".charAt((int) Math.floor((random.nextLong() >>> 33) * 2 / 0x1p31)));
      expected.append(' ');
    }
    assertEquals(expected.toString(), drawn.toString());
  }

  @Test
  void allAlternativesAreDrawn() throws IOException {
    TreeSet<String> drawn = new TreeSet<>();
    for (long seed = 0; seed < 200; seed++) {
      drawn.add(draw("{a|{b|c} x|}", seed));
    }
    assertEquals(new TreeSet<>(List.of("", "a", "b x", "c x")), drawn);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "plain | text; plain | text",
        "\\{a\\|b\\}; {a|b}",
        "{one}; one",
        "\\_\\_x__ a_b; __x__ a_b",
        "\\(x\\); \\(x\\)"
      })
  void plainTextStays(String template, String prompt) throws IOException {
    assertEquals(prompt, draw(template, 1));
  }

  @ParameterizedTest
  @CsvSource({"a {b|c, 2", "a } b, 2", "{a|{b}, 0"})
  void bracesWithoutPartnerAreFound(String template, int position) {
    PromptSyntaxException e =
        assertThrows(PromptSyntaxException.class, () -> PromptTemplate.parse(template));
    assertEquals(position, e.position());
  }

  @Test
  void bracesNestAsDeepAsIsOfUse() throws IOException {
    assertEquals("x", draw("{".repeat(100) + "x" + "}".repeat(100), 3));
    assertThrows(PromptSyntaxException.class, () -> PromptTemplate.parse("{".repeat(100_000)));
  }

  @Test
  void linesComeFromFilesAndMayHoldChoices() throws IOException {
    Files.createDirectories(folder.resolve("animals"));
    Files.writeString(folder.resolve("animals/cats.txt"), "# cats\n\n  tabby \n{red|blue} cat\n");
    Files.writeString(folder.resolve("place.txt"), "__animals/cats__ on a roof\n");
    TreeSet<String> drawn = new TreeSet<>();
    PromptTemplate template = PromptTemplate.parse("a __place__!");
    for (long seed = 0; seed < 100; seed++) {
      drawn.add(template.draw(seed, Wildcards.in(folder)));
    }
    assertEquals(
        new TreeSet<>(
            List.of("a tabby on a roof!", "a red cat on a roof!", "a blue cat on a roof!")),
        drawn);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "a\\b",
        "..",
        "a//b",
        "C:x",
        "a/./b",
        "~x"
      })
  void namesCannotLeaveTheFolder(String name) throws IOException {
    Files.createDirectories(folder.resolve("lists/a"));
    Files.writeString(folder.resolve("secret.txt"), "secret");
    Wildcards wildcards = Wildcards.in(folder.resolve("lists"));
    IOException e = assertThrows(IOException.class, () -> wildcards.lines(name));
    assertTrue(e.getMessage().contains("must be letters"), e.getMessage());
  }

  @Test
  void linksOutOfTheFolderAreNotFollowed() throws IOException {
    Path lists = Files.createDirectories(folder.resolve("lists"));
    Path secret = Files.writeString(folder.resolve("secret.txt"), "secret");
    Files.createSymbolicLink(lists.resolve("link.txt"), secret);
    IOException e = assertThrows(IOException.class, () -> Wildcards.in(lists).lines("link"));
    assertTrue(e.getMessage().contains("link out of"), e.getMessage());
  }

  @Test
  void badListsAreNamed() throws IOException {
    Files.writeString(folder.resolve("empty.txt"), "# nothing\n");
    Files.write(folder.resolve("latin.txt"), "caf\u00e9".getBytes(StandardCharsets.ISO_8859_1));
    Files.writeString(folder.resolve("open.txt"), "{a|b\n");
    Wildcards wildcards = Wildcards.in(folder);
    for (String name : List.of("empty", "latin", "open", "missing")) {
      PromptTemplate template = PromptTemplate.parse("__" + name + "__");
      IOException e = assertThrows(IOException.class, () -> template.draw(1, wildcards));
      assertTrue(e.getMessage().contains(name), e.getMessage());
    }
  }

  @Test
  void listsThatNameThemselvesEnd() {
    PromptTemplate template = PromptTemplate.parse("__a__");
    Wildcards self = Wildcards.of(Map.of("a", List.of("x __a__")));
    assertThrows(IOException.class, () -> template.draw(1, self));
    Map<String, List<String>> tree =
        Map.of(
            "a", List.of("__b__".repeat(50)),
            "b", List.of("__c__".repeat(50)),
            "c", List.of("__d__".repeat(50)),
            "d", List.of(""));
    assertThrows(IOException.class, () -> template.draw(1, Wildcards.of(tree)));
  }

  @Test
  void aMatrixHasAllCombinations() {
    assertEquals(
        List.of("a city", "a city, at night", "a city, in rain", "a city, at night, in rain"),
        PromptMatrix.expand("a city|at night|in rain"));
    assertEquals(List.of("a city"), PromptMatrix.expand("a city"));
    assertEquals(List.of("", "x"), PromptMatrix.expand("|x"));
    assertThrows(PromptSyntaxException.class, () -> PromptMatrix.expand("|x".repeat(17)));
  }
}
