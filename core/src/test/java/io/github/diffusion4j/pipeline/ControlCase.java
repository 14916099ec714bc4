package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.Control;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The controls of a case. Numbers are one for all networks, or a list with one for each. Pictures
 * are one for each network, where there are several, or one for each prompt; or a list for each
 * prompt with one for each network.
 */
record ControlCase(TaskCase task) {

  Control[] controls() throws IOException {
    if (!task.pipeline().contains("ControlNet")) {
      return new Control[0];
    }
    boolean begins = task.pipeline().contains("Img2Img") || task.pipeline().contains("Inpaint");
    String argument = begins ? "control_image" : "image";
    List<Pictures> pictures = pictures(task.json().path("image_inputs").path(argument));
    List<Control> controls = new ArrayList<>();
    for (int i = 0; i < pictures.size(); i++) {
      controls.add(
          new Control(pictures.get(i))
              .withScale(number("controlnet_conditioning_scale", i, scale()))
              .between(
                  number("control_guidance_start", i, 0), number("control_guidance_end", i, 1)));
    }
    return controls.toArray(Control[]::new);
  }

  private List<Pictures> pictures(JsonNode given) throws IOException {
    List<List<Path>> nets = new ArrayList<>();
    for (int net = 0;
        Files.exists(task.model().resolve("controlnet" + (net > 0 ? "_" + net : "")));
        net++) {
      nets.add(new ArrayList<>());
    }
    if (given.isTextual()) {
      nets.get(0).add(file(given));
    }
    for (int i = 0; i < given.size(); i++) {
      if (given.get(i).isArray()) {
        for (int net = 0; net < given.get(i).size(); net++) {
          nets.get(net).add(file(given.get(i).get(net)));
        }
      } else {
        nets.get(nets.size() > 1 ? i : 0).add(file(given.get(i)));
      }
    }
    List<Pictures> pictures = new ArrayList<>();
    for (List<Path> files : nets) {
      if (!files.isEmpty()) {
        pictures.add(Pictures.read(files.toArray(Path[]::new)));
      }
    }
    return pictures;
  }

  /** The reference's, which differ by pipeline. */
  private double scale() {
    return task.pipeline().contains("Img2Img")
        ? 0.8
        : task.pipeline().equals("StableDiffusionControlNetInpaintPipeline") ? 0.5 : 1;
  }

  private Path file(JsonNode name) {
    return task.variant().resolve(name.asText());
  }

  private double number(String argument, int net, double otherwise) {
    JsonNode value = task.json().path("call").path(argument);
    return (value.isArray() ? value.path(net) : value).asDouble(otherwise);
  }
}
