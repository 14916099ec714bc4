package io.github.diffusion4j.examples;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;

/** Text to image. Run it with a prompt; expect {@code picture.png} in the current folder. */
public final class TextToImage {
  /** Paints the prompt given as the first argument, or an apple. */
  public static void main(String... args) throws IOException {
    String prompt = args.length > 0 ? args[0] : "a red apple on a light blue background";
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      var request = GenerationRequest.prompt(prompt).seed(42).build();
      System.out.println(pipeline.generate(request).save(Path.of("picture.png")));
    }
  }
}
