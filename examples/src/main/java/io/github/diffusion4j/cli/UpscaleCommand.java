package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Upscale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Enlarges a picture. */
@Command(
    name = "upscale",
    description = {
      "Enlarge a picture, with details as the prompt has them.",
      "An upscaling model (such as Stable Diffusion's x4) enlarges by what it was made for; with any"
          + " other model the picture is enlarged by --scale and its details are painted anew."
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j upscale \"a white cat\" --image cat.png --model stable-diffusion-x4-upscaler/",
      "  diffusion4j upscale \"a red apple\" --image apple.png --scale 1.5 --strength 0.3"
    })
final class UpscaleCommand implements Callable<Integer> {

  private final Session session;

  @ParentCommand private RootCommand root;

  @Option(
      names = {"-i", "--image"},
      paramLabel = "FILE",
      required = true,
      description = "The picture to enlarge.")
  private Path image;

  @Option(
      names = "--noise-level",
      paramLabel = "N",
      description = "How much an upscaling model may make up. Default: ${DEFAULT-VALUE}.")
  private int noiseLevel = Upscale.DEFAULT_NOISE_LEVEL;

  @Option(
      names = "--scale",
      paramLabel = "FACTOR",
      description =
          "How many times wider and higher with any other model, to 16. Default: ${DEFAULT-VALUE}.")
  private double scale = 2;

  @Option(
      names = "--strength",
      paramLabel = "0..1",
      description = "How much any other model paints anew. Default: ${DEFAULT-VALUE}.")
  private double strength = 0.3;

  @Mixin private PaintOptions paint;

  UpscaleCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    if (!(scale >= 1 && scale <= 16)) {
      throw new IllegalArgumentException("--scale must be in [1, 16], got " + scale);
    }
    Pictures pictures = Pictures.read(image);
    Upscale upscale = new Upscale(pictures, noiseLevel);
    ImageToImage repaint = new ImageToImage(pictures, strength);
    return paint.run(
        session,
        root,
        (request, pipeline) ->
            pipeline.stages().rules().lowResolution().isPresent()
                ? request.toBuilder().init(upscale).build()
                : enlarged(request, pictures, pipeline).init(repaint).build());
  }

  private GenerationRequestBuilder enlarged(
      GenerationRequest request, Pictures pictures, StableDiffusionPipeline pipeline) {
    int multiple = pipeline.stages().sizeMultiple();
    return request.toBuilder()
        .width(request.width().orElse(cut(pictures.width() * scale, multiple)))
        .height(request.height().orElse(cut(pictures.height() * scale, multiple)));
  }

  private static int cut(double pixels, int multiple) {
    return Math.max(multiple, (int) pixels / multiple * multiple);
  }
}
