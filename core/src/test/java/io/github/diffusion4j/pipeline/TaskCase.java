package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.scheduler.StepPlan;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Upscale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** The task of a case, by its pipeline's name and with the defaults of the reference's. */
record TaskCase(String name, Path variant, Path model, JsonNode json) {

  private static final Set<String> PICTURES = Set.of("image", "mask_image", "control_image");

  boolean isInpainting() {
    return pipeline().contains("Inpaint");
  }

  Init init() throws IOException {
    json.path("image_inputs")
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!PICTURES.contains(key)) {
                throw new AssertionError(name + ": cannot run a case with picture " + key);
              }
            });
    if (!json.path("image_inputs").has("image") || pipeline().matches(".*ControlNetPipeline")) {
      return new Init.FromNoise(); // a control's picture is not one to begin with
    }
    Pictures pictures = Pictures.read(input("image"));
    String pipeline = pipeline();
    if (isInpainting()) {
      return inpaint(pictures);
    }
    if (pipeline.contains("InstructPix2Pix")) {
      return new InstructPix2Pix(pictures, number("image_guidance_scale", 1.5));
    }
    if (pipeline.contains("Upscale")) {
      return new Upscale(pictures, (int) number("noise_level", 20));
    }
    if (pipeline.contains("Img2Img")) {
      return json.get("call").hasNonNull("denoising_start")
          ? new ImageToImage(pictures, new StepPlan.Start.Share(number("denoising_start", 0)))
          : new ImageToImage(
              pictures,
              number("strength", isXl() && !pipeline().contains("ControlNet") ? 0.3 : 0.8));
    }
    throw new AssertionError(name + ": cannot run a case of " + pipeline);
  }

  private Inpaint inpaint(Pictures pictures) throws IOException {
    Inpaint.Options options =
        Inpaint.Options.DEFAULT.withStrength(number("strength", isXl() ? 0.9999 : 1));
    if (json.get("call").hasNonNull("padding_mask_crop")) {
      options = options.withCrop((int) number("padding_mask_crop", 0));
    }
    return new Inpaint(pictures, Mask.read(input("mask_image")), options);
  }

  Path input(String argument) {
    return variant.resolve(json.path("image_inputs").get(argument).asText());
  }

  private boolean isXl() {
    return pipeline().contains("XL");
  }

  String pipeline() {
    return json.path("pipeline").asText();
  }

  private double number(String key, double otherwise) {
    return json.get("call").path(key).asDouble(otherwise);
  }
}
