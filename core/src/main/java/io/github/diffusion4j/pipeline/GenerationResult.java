package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.image.ImageFormat;
import io.github.diffusion4j.image.PictureFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a generation gives.
 *
 * @param images the pictures, RGB, in the order of the request's prompts
 * @param provenance how they were made
 */
public record GenerationResult(List<BufferedImage> images, Provenance provenance) {

  /** Copies the list. */
  public GenerationResult {
    images = List.copyOf(images);
    requireNonNull(provenance, "provenance");
  }

  /**
   * The first picture: the only one of a request for one.
   *
   * @return picture 0
   */
  public BufferedImage image() {
    return images.get(0);
  }

  /**
   * Whether the model's safety checker flagged a picture.
   *
   * @param index of the picture
   * @return false also where nothing was checked, which {@link Provenance#safety()} tells
   */
  public boolean isFlagged(int index) {
    return provenance.safety().isFlagged(index);
  }

  /**
   * Writes the pictures with their provenance. A file is written under another name and then moved,
   * so that it is whole or not there.
   *
   * @param file where to; PNG or JPEG by its ending. Of several pictures the second and later ones
   *     get their number before the ending: {@code cat.png}, {@code cat-1.png} …
   * @return the files written
   * @throws IOException if one cannot be written
   * @throws IllegalArgumentException if the file's ending names no format that is written
   */
  public List<Path> save(Path file) throws IOException {
    ImageFormat.of(file); // an ending that cannot be written fails before anything is
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      BufferedImage image = images.get(i);
      Map<String, String> texts = provenance.texts(i);
      Path target = numbered(file, i);
      PictureFile.write(image, texts, target);
      files.add(target);
    }
    return files;
  }

  private static Path numbered(Path file, int index) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return index == 0
        ? file
        : file.resolveSibling(name.substring(0, dot) + "-" + index + name.substring(dot));
  }
}
