package io.github.diffusion4j.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraPromptTest {

  /** Columns: what follows the name, scale of the denoiser, scale of the text encoders. */
  @ParameterizedTest
  @CsvSource({
    "'', 1, 1",
    ":0.7, 0.7, 0.7",
    ":0.5:0.7, 0.7, 0.5",
    ":-1, -1, -1",
    ": 2 , 2, 2",
    ":te=0.5, 0.5, 0.5",
    ":unet=0.7, 0.7, 1",
    ":te=0.5:unet=0.7, 0.7, 0.5",
    ":0.3:unet=0.7, 0.7, 0.3",
  })
  void scales(String options, double scale, double text) {
    LoraPrompt prompt = LoraPrompt.parse("a cat <lora:some style" + options + ">, oil");
    assertEquals("a cat , oil", prompt.text());
    assertEquals(List.of(new LoraTag("some style", scale, text)), prompt.tags());
  }

  @Test
  void severalAreInOrder() {
    LoraPrompt prompt = LoraPrompt.parse("<lora:b> a cat <lora:a:2><lora:b:3>");
    assertEquals("a cat", prompt.text());
    assertEquals(
        List.of(new LoraTag("b", 1, 1), new LoraTag("a", 2, 2), new LoraTag("b", 3, 3)),
        prompt.tags());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a cat ", "a <b> c", "<lora:", "<lora>", "<lora:>", "<loraX:a>", ""})
  void otherTextStaysAsItIs(String text) {
    assertEquals(new LoraPrompt(text, List.of()), LoraPrompt.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {":x", ":", ":1:2:3", ":dyn=4", ":NaN", ":1e999", ":te="})
  void whatIsNoScaleIsAnError(String options) {
    String text = "a <lora:b" + options + ">";
    PromptSyntaxException error =
        assertThrows(PromptSyntaxException.class, () -> LoraPrompt.parse(text));
    assertEquals("a <lora:b".length(), error.position());
    assertTrue(error.getMessage().contains("LoRA"), error.getMessage());
  }
}
