package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class A1111ParametersTest {

  private static final Map<String, String> SETTINGS = settings();

  private static Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("Steps", "25");
    settings.put("Sampler", "DDIM");
    settings.put("CFG scale", "4");
    settings.put("Seed", "42");
    settings.put("Size", "128x128");
    settings.put("Model", "emoji-ldm");
    return settings;
  }

  @Test
  void formatsAsTheWebUserInterfaceDoes() {
    assertEquals(
        "a red apple\nNegative prompt: blurry, dark\n"
            + "Steps: 25, Sampler: DDIM, CFG scale: 4, Seed: 42, Size: 128x128, Model: emoji-ldm",
        new A1111Parameters("a red apple", "blurry, dark", SETTINGS).format());
    assertEquals("x\nAb: 1", new A1111Parameters("x", "", Map.of("Ab", "1")).format());
    assertEquals("Ab: 1", new A1111Parameters("", "", Map.of("Ab", "1")).format());
    assertEquals("x", new A1111Parameters("x", "", Map.of()).format());
  }

  @Test
  void parsesWhatTheWebUserInterfaceWrites() {
    A1111Parameters parsed =
        A1111Parameters.parse(
            """
            girl with an artist's beret, determined, ((eyeshadow)),
              detailed
            Negative prompt: ugly, (((deformed))), [blurry]
            bad anatomy
            Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, \
            Model hash: 45dee52b, Lora hashes: "a: 1, b: 2", Hires prompt: "one\\ntwo \\"three\\"", \
            Version: v1.10.1
            """);
    assertEquals(
        "girl with an artist's beret, determined, ((eyeshadow)),\ndetailed", parsed.prompt());
    assertEquals("ugly, (((deformed))), [blurry]\nbad anatomy", parsed.negativePrompt());
    assertEquals("965400086", parsed.settings().get("Seed"));
    assertEquals("512x512", parsed.settings().get("Size"));
    assertEquals("a: 1, b: 2", parsed.settings().get("Lora hashes"));
    assertEquals("one\ntwo \"three\"", parsed.settings().get("Hires prompt"));
    assertEquals("v1.10.1", parsed.settings().get("Version"));
    assertEquals(9, parsed.settings().size());
  }

  @Test
  void textWithoutSettingsIsAPrompt() {
    assertEquals(
        new A1111Parameters("a cat: sitting, on: a mat", "", Map.of()),
        A1111Parameters.parse("a cat: sitting, on: a mat"));
    assertEquals(new A1111Parameters("", "", Map.of()), A1111Parameters.parse(" \n "));
    assertEquals(
        new A1111Parameters("", "x", Map.of()), A1111Parameters.parse("Negative prompt: x"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "one",
        "two\nlines",
        "a\n\nb",
        "Steps: 20, Sampler: x, Seed: 7",
        "quotes \" ' \\ \\n",
        "(weight:1.3), <lora:x:0.7>, {a|b}",
        "猫 \uD83D\uDC31 é \u0001",
        "ends with,",
        "prompt Negative prompt: inside",
        "key: \"unclosed, key: \"",
        ", , ::, : ,",
      })
  void nastyPromptsSurvive(String prompt) {
    A1111Parameters parameters = new A1111Parameters(prompt, prompt, SETTINGS);
    assertEquals(parameters, A1111Parameters.parse(parameters.format()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "a, b",
        "a: b",
        "line\nbreak",
        "\"quoted\"",
        "\"",
        "\\",
        "a\\",
        "\\\"",
        " blank ",
        "猫",
        "tab\tcr\r",
        "ends in \"",
        "{\"json\": [1, 2]}",
        "C:\\models\\x, y",
        "\u0085",
        "1e-3"
      })
  void nastyValuesSurvive(String value) {
    Map<String, String> settings = new LinkedHashMap<>(SETTINGS);
    settings.put("Model", value);
    settings.put("Last one", value);
    A1111Parameters parameters = new A1111Parameters("p", "n", settings);
    assertEquals(parameters, A1111Parameters.parse(parameters.format()));
  }

  @Test
  void randomValuesSurvive() {
    Random random = PngTest.random();
    String alphabet = "ab ,:\"\\\n\t{}é-/_=|";
    for (int round = 0; round < 2000; round++) {
      Map<String, String> settings = new LinkedHashMap<>(SETTINGS);
      for (int i = 0; i < 3; i++) {
        StringBuilder value = new StringBuilder();
        for (int length = random.nextInt(12); length > 0; length--) {
          value.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        settings.put("key " + i, value.toString());
      }
      A1111Parameters parameters = new A1111Parameters("p", "", settings);
      assertEquals(parameters, A1111Parameters.parse(parameters.format()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", " ab", "ab ", "a:b", "a,b", "-ab", "a\nb"})
  void namesThatWouldNotComeBackAreRefused(String name) {
    assertThrows(
        IllegalArgumentException.class, () -> new A1111Parameters("", "", Map.of(name, "x")));
  }

  @Test
  void hugeAndHostileTextsParse() {
    for (String part : List.of("a", "ab: \"", "ab:\"\\\",", ":", "a ", ",", "ab: ", "\n", "\"\\")) {
      String text = part.repeat((4 << 20) / part.length());
      A1111Parameters parsed = A1111Parameters.parse(text);
      assertTrue(parsed.prompt().length() <= text.length(), part);
    }
  }
}
