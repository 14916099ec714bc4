package io.github.diffusion4j.cli;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.InstructPix2Pix;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Paints a picture over another. */
@Command(
    name = "img2img",
    description = {
      "Paint a picture over another one.",
      "With a model that follows instructions (InstructPix2Pix) the prompt says what to change."
    },
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j img2img \"a green apple\" --image red-apple.png --strength 0.6",
      "  diffusion4j img2img \"make it winter\" --image street.png --model instruct-pix2pix/"
    })
final class ImageToImageCommand implements Callable<Integer> {

  private final Session session;

  @ParentCommand private RootCommand root;

  @Option(
      names = {"-i", "--image"},
      paramLabel = "FILE",
      required = true,
      description = "The picture to begin with. Its size is taken unless one is given.")
  private Path image;

  @Option(
      names = "--strength",
      paramLabel = "0..1",
      description = "How much is painted anew. Default: ${DEFAULT-VALUE}.")
  private double strength = 0.6;

  @Option(
      names = "--image-guidance",
      paramLabel = "SCALE",
      description =
          "How far a model that follows instructions keeps to the picture. Default:"
              + " ${DEFAULT-VALUE}.")
  private double imageGuidance = InstructPix2Pix.DEFAULT_IMAGE_GUIDANCE_SCALE;

  @Mixin private PaintOptions paint;

  ImageToImageCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    Pictures pictures = Pictures.read(image);
    Init ordinary = new ImageToImage(pictures, strength);
    Init instructed = new InstructPix2Pix(pictures, imageGuidance);
    return paint.run(
        session,
        root,
        (request, pipeline) -> with(request, follows(pipeline) ? instructed : ordinary));
  }

  private static GenerationRequest with(GenerationRequest request, Init init) {
    return request.toBuilder().init(init).build();
  }

  private static boolean follows(StableDiffusionPipeline pipeline) {
    return pipeline.stages().denoiser().extraChannels()
        == pipeline.stages().codec().latentChannels();
  }
}
