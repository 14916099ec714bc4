package io.github.diffusion4j.cli;

import io.github.diffusion4j.Control;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ImagePrompt;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Inpaint;
import io.github.diffusion4j.task.Mask;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Paints with ControlNets and image prompts. */
@Command(
    name = "control",
    description =
        "Paint a picture that keeps to edges, depth, poses … of others (ControlNet), or to what they"
            + " show (IP-Adapter).",
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  diffusion4j control \"a castle\" --image photo.png --preprocess canny --controlnet canny/",
      "  diffusion4j control \"a castle\" --image edges.png --scale 0.8 --image depth.png --end 0.5",
      "  diffusion4j control \"a castle\" --image lines.png --over photo.png --strength 0.7",
      "  diffusion4j control \"a castle\" --ip-image painting.png --ip-scale 0.6"
    })
final class ControlCommand implements Callable<Integer>, PaintOptions.Task {

  private final Session session;
  private final List<Control> given = new ArrayList<>();
  private Optional<ImagePrompt> told = Optional.empty();
  private Init init = new Init.FromNoise();

  @ParentCommand private RootCommand root;

  @ArgGroup(exclusive = false, multiplicity = "0..*")
  private List<ControlOptions> controls = new ArrayList<>();

  @Option(
      names = "--guess",
      description =
          "Let the networks find out what the pictures show, for prompts that say little.")
  private boolean guess;

  @Option(
      names = "--ip-image",
      paramLabel = "FILE",
      description = "A picture that says what is painted, for a model with an IP-Adapter.")
  private Path imagePrompt;

  @Option(
      names = "--ip-scale",
      paramLabel = "N",
      description = "How much the picture of --ip-image counts, 1 as trained. Default: 1.")
  private Double imageScale;

  @Option(
      names = "--over",
      paramLabel = "FILE",
      description = "A picture to paint over, as img2img does.")
  private Path over;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "The part of --over to paint, white, as inpaint does.")
  private Path mask;

  @Option(
      names = "--strength",
      paramLabel = "0..1",
      description = "How much of --over is painted anew. Default: 0.8, with a mask 1.")
  private Double strength;

  @Mixin private PaintOptions paint;

  ControlCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    if (over == null && (mask != null || strength != null)) {
      throw new IllegalArgumentException("--mask and --strength are for the picture of --over");
    }
    if (controls.isEmpty() && imagePrompt == null) {
      throw new IllegalArgumentException(
          "no picture is given: --image for one that a ControlNet reads, or --ip-image");
    }
    if (imagePrompt == null && imageScale != null) {
      throw new IllegalArgumentException("--ip-scale is for the picture of --ip-image");
    }
    if (imagePrompt != null) {
      told =
          Optional.of(
              new ImagePrompt(Pictures.read(imagePrompt), imageScale == null ? 1 : imageScale));
    }
    for (int i = 0; i < controls.size(); i++) {
      ControlOptions options = controls.get(i);
      given.add(options.control(options.controlNet().isPresent() ? name(i) : ""));
    }
    if (over != null) {
      Pictures pictures = Pictures.read(over);
      init =
          mask == null
              ? new ImageToImage(pictures, strength == null ? 0.8 : strength)
              : new Inpaint(
                  pictures,
                  Mask.read(mask),
                  Inpaint.Options.DEFAULT.withStrength(strength == null ? 1 : strength));
    }
    return paint.run(session, root, this);
  }

  private static String name(int control) {
    return "control-" + (control + 1);
  }

  @Override
  public ModelLayout layout(ModelLayout model) {
    Map<String, Path> nets = new LinkedHashMap<>();
    for (int i = 0; i < controls.size(); i++) {
      Path folder = controls.get(i).controlNet().orElse(null);
      if (folder != null) {
        nets.put(name(i), folder);
      }
    }
    return model.withControlNets(nets);
  }

  @Override
  public GenerationRequest of(GenerationRequest request, StableDiffusionPipeline pipeline) {
    GenerationRequestBuilder steered =
        request.toBuilder().controls(given.toArray(Control[]::new)).guessMode(guess);
    told.ifPresent(steered::imagePrompt);
    return (over == null ? steered : steered.init(init)).build();
  }
}
