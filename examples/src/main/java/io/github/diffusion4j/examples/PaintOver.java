package io.github.diffusion4j.examples;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;

/** Image to image: paints an apple, then a green one over it. Expect {@code green.png}. */
public final class PaintOver {
  /** Takes a picture's file as the first argument, or paints one. */
  public static void main(String... args) throws IOException {
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      var red = GenerationRequest.prompt("a red apple on a light blue background").seed(42).build();
      var picture =
          args.length > 0
              ? Pictures.read(Path.of(args[0]))
              : Pictures.of(pipeline.generate(red).images());
      var green =
          GenerationRequest.prompt("a green apple on a light blue background")
              .init(new ImageToImage(picture, 0.6))
              .seed(3)
              .build();
      System.out.println(pipeline.generate(green).save(Path.of("green.png")));
    }
  }
}
