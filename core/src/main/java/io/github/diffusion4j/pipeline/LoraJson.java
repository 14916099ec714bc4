package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.Lora;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** LoRAs as JSON: files without their folders, which are nobody's business. */
final class LoraJson {

  private static final String LORAS = "loras";
  private static final String FILE = "file";
  private static final String SCALE = "scale";
  private static final String TEXT_SCALE = "text_encoder_scale";

  private LoraJson() {}

  static void write(ObjectNode root, List<Lora> loras) {
    if (!loras.isEmpty()) {
      ArrayNode list = root.putArray(LORAS);
      for (Lora lora : loras) {
        list.addObject()
            .put(FILE, lora.file().getFileName().toString())
            .put(SCALE, lora.scale())
            .put(TEXT_SCALE, lora.textEncoderScale());
      }
    }
  }

  static Lora[] read(JsonNode root) {
    List<Lora> loras = new ArrayList<>();
    for (JsonNode lora : root.path(LORAS)) {
      String file = lora.path(FILE).asText();
      if (file.isBlank() || file.matches("(?s).*[/\\\\:].*")) {
        throw new IllegalArgumentException("a LoRA's file must be a name, got \"" + file + "\"");
      }
      loras.add(
          new Lora(Path.of(file), lora.path(SCALE).asDouble(), lora.path(TEXT_SCALE).asDouble()));
    }
    return loras.toArray(Lora[]::new);
  }

  /** As the web UIs write it into the prompt: the text encoders' scale first, if it is another. */
  static String tags(List<Lora> loras) {
    StringBuilder tags = new StringBuilder();
    for (Lora lora : loras) {
      String name = lora.file().getFileName().toString().replaceFirst("\\.safetensors$", "");
      tags.append(" <lora:").append(name);
      if (lora.scale() != lora.textEncoderScale()) {
        tags.append(':').append(lora.textEncoderScale());
      }
      tags.append(':').append(lora.scale()).append('>');
    }
    return tags.toString();
  }
}
