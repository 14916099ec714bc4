package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.Control;
import io.github.diffusion4j.Controls;
import io.github.diffusion4j.ImagePrompt;
import io.github.diffusion4j.ModelFormatException;

/** A request's controls and image prompt in provenance, without their pictures. */
final class ControlsJson {

  private static final String CONTROLS = "controls";
  private static final String IMAGE_PROMPT = "image_prompt";

  private ControlsJson() {}

  static void write(ObjectNode root, Controls controls) {
    if (controls.isEmpty()) {
      return;
    }
    ArrayNode all = root.putArray(CONTROLS);
    for (Control control : controls.list()) {
      ObjectNode node = all.addObject();
      if (!control.net().isEmpty()) {
        node.put("net", control.net());
      }
      node.put("controlnet_conditioning_scale", control.scale());
      node.put("control_guidance_start", control.start());
      node.put("control_guidance_end", control.end());
    }
    root.put("guess_mode", controls.guessMode());
  }

  static void write(ObjectNode root, ImagePrompt prompt) {
    root.putObject(IMAGE_PROMPT).put("ip_adapter_scale", prompt.scale());
  }

  /** Refuses a record that a request cannot be made of. */
  static void requireNone(JsonNode root) {
    if (root.path(CONTROLS).size() > 0) {
      throw new ModelFormatException(
          "the picture was steered by control pictures, which its provenance does not hold");
    }
    if (root.has(IMAGE_PROMPT)) {
      throw new ModelFormatException(
          "the picture was painted with an image prompt, whose pictures its provenance does not hold");
    }
  }
}
