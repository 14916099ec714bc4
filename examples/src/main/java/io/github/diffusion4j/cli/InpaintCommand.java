package io.github.diffusion4j.cli;

import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Outpaint;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Paints a part of a picture anew, or beyond its edges. */
@Command(
    name = "inpaint",
    description = "Paint a part of a picture anew, or go on beyond its edges.",
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j inpaint \"a rocket\" --image sky.png --mask hole.png",
      "  diffusion4j inpaint \"a landscape\" --image view.png --extend 64,0,64,0"
    })
final class InpaintCommand implements Callable<Integer> {

  private static final int SIDES = 4;

  private final Session session;

  @ParentCommand private RootCommand root;

  @Option(
      names = {"-i", "--image"},
      paramLabel = "FILE",
      required = true,
      description = "The picture. Its size is taken unless one is given.")
  private Path image;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "A picture of the same size: white is painted, black is kept.")
  private Path mask;

  @Option(
      names = "--extend",
      paramLabel = "LEFT,TOP,RIGHT,BOTTOM",
      split = ",",
      description = "Pixels to go on beyond the edges, in place of a mask.")
  private List<Integer> extend = List.of();

  @Option(
      names = "--seam",
      paramLabel = "PIXELS",
      description = "Pixels within the edges that --extend paints too. Default: ${DEFAULT-VALUE}.")
  private int seam = 8;

  @Option(
      names = "--strength",
      paramLabel = "0..1",
      description = "How much is painted anew. Default: ${DEFAULT-VALUE}.")
  private double strength = 1;

  @Option(
      names = "--fill",
      paramLabel = "WHAT",
      description =
          "What a strength below 1 begins with: ${COMPLETION-CANDIDATES}. Default:"
              + " ${DEFAULT-VALUE}.")
  private Inpaint.Fill fill = Inpaint.Fill.ORIGINAL;

  @Option(
      names = "--grow-mask",
      paramLabel = "PIXELS",
      description = "Grows the mask on all sides. Default: 0.")
  private int grow;

  @Option(
      names = "--blur-mask",
      paramLabel = "PIXELS",
      description = "Softens the mask's edge, where the rest is put back. Default: 0.")
  private double blur;

  @Option(
      names = "--crop",
      paramLabel = "PIXELS",
      description =
          "Paint only the mask and so much around it, at the model's size, and set it into the"
              + " picture.")
  private Integer crop;

  @Option(names = "--overlay", description = "Put the rest of the picture back pixel by pixel.")
  private boolean overlay;

  @Mixin private PaintOptions paint;

  InpaintCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    if ((mask == null) == extend.isEmpty()) {
      throw new IllegalArgumentException(
          "expected --mask FILE or --extend LEFT,TOP,RIGHT,BOTTOM, got "
              + (mask == null ? "neither" : "both"));
    }
    Inpaint task = task();
    return paint.run(session, root, (request, pipeline) -> request.toBuilder().init(task).build());
  }

  private Inpaint task() throws IOException {
    Inpaint.Options options =
        new Inpaint.Options(strength, fill, java.util.OptionalInt.empty(), overlay);
    if (crop != null) {
      options = options.withCrop(crop);
    }
    Pictures pictures = Pictures.read(image);
    if (mask == null) {
      if (extend.size() != SIDES) {
        throw new IllegalArgumentException(
            "--extend must be four numbers, LEFT,TOP,RIGHT,BOTTOM, got " + extend.size());
      }
      Outpaint beyond =
          new Outpaint(extend.get(0), extend.get(1), extend.get(2), extend.get(3), seam);
      Inpaint extended = beyond.task(pictures, options);
      return new Inpaint(extended.pictures(), soft(extended.mask()), options);
    }
    return new Inpaint(pictures, soft(Mask.read(mask)), options);
  }

  private Mask soft(Mask hard) {
    return hard.dilated(grow).blurred(blur);
  }
}
