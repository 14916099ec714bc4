package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.Control;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The controls of a case. Each argument is one value for all networks, or a list with one for each;
 * pictures are one for each network, or a list of these.
 */
record ControlCase(TaskCase task) {

  Control[] controls() throws IOException {
    if (!task.pipeline().contains("ControlNet")) {
      return new Control[0];
    }
    boolean begins = task.pipeline().contains("Img2Img") || task.pipeline().contains("Inpaint");
    String argument = begins ? "control_image" : "image";
    JsonNode inputs = task.json().path("image_inputs");
    List<JsonNode> pictures = new ArrayList<>();
    inputs.path(argument).forEach(pictures::add);
    if (inputs.path(argument).isTextual()) {
      pictures.add(inputs.path(argument));
    }
    for (int i = 0; inputs.has(argument + "_" + i); i++) {
      pictures.add(inputs.path(argument + "_" + i));
    }
    List<Control> controls = new ArrayList<>();
    for (int i = 0; i < pictures.size(); i++) {
      controls.add(
          new Control(pictures(pictures.get(i)))
              .withScale(number("controlnet_conditioning_scale", i, 1))
              .between(
                  number("control_guidance_start", i, 0), number("control_guidance_end", i, 1)));
    }
    return controls.toArray(Control[]::new);
  }

  private Pictures pictures(JsonNode names) throws IOException {
    List<Path> files = new ArrayList<>();
    names.forEach(name -> files.add(task.variant().resolve(name.asText())));
    if (names.isTextual()) {
      files.add(task.variant().resolve(names.asText()));
    }
    return Pictures.read(files.toArray(Path[]::new));
  }

  private double number(String argument, int net, double otherwise) {
    JsonNode value = task.json().path("call").path(argument);
    return (value.isArray() ? value.path(net) : value).asDouble(otherwise);
  }
}
