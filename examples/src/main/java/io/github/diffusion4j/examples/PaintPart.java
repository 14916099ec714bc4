package io.github.diffusion4j.examples;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Pictures;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/** Inpainting: paints an apple, then its right half anew. Expect {@code half.png}. */
public final class PaintPart {
  /** Takes no arguments. */
  public static void main(String... args) throws IOException {
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      var red = GenerationRequest.prompt("a red apple on a light blue background").seed(42).build();
      BufferedImage apple = pipeline.generate(red).image();
      var half =
          GenerationRequest.prompt("a green leaf on a light blue background")
              .init(new Inpaint(Pictures.of(apple), rightHalf(apple)))
              .seed(3)
              .build();
      System.out.println(pipeline.generate(half).save(Path.of("half.png")));
    }
  }

  /** White is painted, black is kept. */
  private static Mask rightHalf(BufferedImage picture) {
    int width = picture.getWidth();
    int height = picture.getHeight();
    var mask = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    var pen = mask.createGraphics();
    pen.setColor(Color.WHITE);
    pen.fillRect(width / 2, 0, width - width / 2, height);
    pen.dispose();
    return Mask.of(mask);
  }
}
