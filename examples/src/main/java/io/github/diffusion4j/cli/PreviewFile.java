package io.github.diffusion4j.cli;

import io.github.diffusion4j.LatentPreview;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.family.Autoencoder;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.pipeline.PreviewListener;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Keeps a picture of how far a generation is in a file beside the one to come: replaced whole, so
 * that a viewer never sees half of it. Gone once the picture is there; left where the generation
 * fails or is cancelled. Not thread-safe.
 */
final class PreviewFile implements StepListener, AutoCloseable {

  /**
   * How previews become as large as the picture.
   *
   * @param scale more than 1 enlarges
   */
  record Size(double scale) {
    BufferedImage of(BufferedImage image) {
      int width = (int) Math.round(image.getWidth() * scale);
      int height = (int) Math.round(image.getHeight() * scale);
      return width == image.getWidth() ? image : Resampling.BICUBIC.resize(image, width, height);
    }
  }

  private final Session session;
  private final LatentPreview preview;
  private final PreviewListener listener;
  private final Size size;
  private Path file;
  private int image;
  private boolean failed;

  PreviewFile(Session session, int every, LatentPreview preview, Size size) {
    this.session = session;
    this.preview = preview;
    this.size = size;
    this.listener = new PreviewListener(every, preview, this::write);
  }

  /** A picture begins: where it will be, and which of its generation's images it is. */
  void begin(Path picture, int index) {
    file = beside(picture);
    image = index;
  }

  /** A picture is there, perhaps while the next one is painted. */
  void end(Path picture) throws IOException {
    Files.deleteIfExists(beside(picture));
  }

  private static Path beside(Path picture) {
    String name = picture.getFileName().toString();
    return picture.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ".preview.png");
  }

  @Override
  public void onStep(StepEvent event) {
    listener.onStep(event);
  }

  /** A preview that cannot be written does not stop the painting. */
  private void write(List<BufferedImage> images) {
    try {
      PictureFile.write(size.of(images.get(image)), Map.of(), file);
    } catch (IOException e) {
      if (!failed) {
        failed = true;
        session.note("no preview: " + e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    if (preview instanceof Autoencoder tiny) {
      tiny.close();
    }
  }
}
