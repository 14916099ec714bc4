package io.github.diffusion4j.cli;

import io.github.diffusion4j.Control;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Preprocessor;
import io.github.diffusion4j.task.Pictures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** One control: a picture, the network that reads it, how much it counts and when. */
final class ControlOptions {

  @Option(
      names = {"-i", "--image"},
      paramLabel = "FILE",
      required = true,
      description =
          "The picture that steers. Given again, it begins a further control, to which the options"
              + " after it belong.")
  private Path image;

  @Option(
      names = "--preprocess",
      paramLabel = "KIND",
      description =
          "What makes the picture one that the network reads: none, canny, invert, scribble,"
              + " threshold, luminance, tile. Default: none.")
  private Preprocessor preprocess = Preprocessor.NONE;

  @Option(
      names = "--controlnet",
      paramLabel = "DIR",
      description = "The ControlNet. Default: the next one in the model's folder.")
  private Path controlNet;

  @Option(
      names = "--scale",
      paramLabel = "N",
      description = "How much the control counts, 1 as trained. Default: 1.")
  private double scale = 1;

  @Option(
      names = "--start",
      paramLabel = "0..1",
      description = "Share of the steps after which the control begins. Default: 0.")
  private double start;

  @Option(
      names = "--end",
      paramLabel = "0..1",
      description = "Share of the steps after which the control ends. Default: 1.")
  private double end = 1;

  /** The network's folder, if one is named. */
  Optional<Path> controlNet() {
    return Optional.ofNullable(controlNet);
  }

  /** The control as the options say, read by a network of a name. */
  Control control(String net) throws IOException {
    BufferedImage read = preprocess.apply(PictureFile.read(image));
    return new Control(Pictures.of(read)).withScale(scale).between(start, end).withNet(net);
  }
}
