package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.image.Png;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/** Writes pictures with their provenance. */
final class Pictures {

  private Pictures() {}

  static void write(BufferedImage image, Provenance provenance, int index, Path file)
      throws IOException {
    Png.write(image, provenance.pngTexts(index), file);
  }
}
