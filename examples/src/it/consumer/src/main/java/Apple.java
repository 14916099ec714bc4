import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;

/** Paints an apple: the first argument is the model's folder, the second the picture. */
public final class Apple {
  public static void main(String[] args) throws IOException {
    try (var pipeline = StableDiffusionPipeline.load(Path.of(args[0]))) {
      var request =
          GenerationRequest.prompt("a red apple on a light blue background").seed(42).build();
      pipeline.generate(request).save(Path.of(args[1]));
    }
  }
}
