package io.github.diffusion4j.task;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.PictureSource;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Resampling;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pictures that a task begins with: one for all prompts, or several. Immutable copies of what was
 * given, 8 bit RGB as {@link Images#rgb} makes them, or numbers as they are.
 */
public final class Pictures implements PictureSource {

  private final List<BufferedImage> images;
  private final ImageTensor tensor;

  private Pictures(List<BufferedImage> images, ImageTensor tensor) {
    this.images = images;
    this.tensor = tensor;
  }

  /**
   * Pictures in memory.
   *
   * @param images at least one, of any type; copied
   * @return them
   */
  public static Pictures of(BufferedImage... images) {
    return of(List.of(images));
  }

  /**
   * Pictures in memory.
   *
   * @param images at least one, of any type; copied
   * @return them
   */
  public static Pictures of(List<BufferedImage> images) {
    if (images.isEmpty()) {
      throw new IllegalArgumentException("at least one picture is needed, got none");
    }
    ImageTensor none = new ImageTensor(new float[0], 0, 0, 0);
    return new Pictures(images.stream().map(Canvas::copy).toList(), none);
  }

  /**
   * Pictures in files, read now: turned upright by their EXIF orientation.
   *
   * @param files PNG, JPEG, GIF, BMP or TIFF; at least one
   * @return them
   * @throws IOException if one cannot be read
   */
  public static Pictures read(Path... files) throws IOException {
    List<BufferedImage> images = new ArrayList<>();
    for (Path file : files) {
      images.add(PictureFile.read(file));
    }
    return of(images);
  }

  /**
   * Pictures as numbers, which go to the autoencoder unrounded.
   *
   * @param pictures values from -1 to 1; copied
   * @return them
   */
  public static Pictures of(ImageTensor pictures) {
    requireNonNull(pictures, "pictures");
    return new Pictures(
        List.of(),
        new ImageTensor(
            pictures.values().clone(), pictures.batch(), pictures.height(), pictures.width()));
  }

  /**
   * How many there are.
   *
   * @return at least 1
   */
  @Override
  public int count() {
    return images.isEmpty() ? tensor.batch() : images.size();
  }

  /**
   * Width of the first picture.
   *
   * @return in pixels
   */
  @Override
  public int width() {
    return images.isEmpty() ? tensor.width() : images.get(0).getWidth();
  }

  /**
   * Height of the first picture.
   *
   * @return in pixels
   */
  @Override
  public int height() {
    return images.isEmpty() ? tensor.height() : images.get(0).getHeight();
  }

  /**
   * The pictures in one size, stretched where proportions differ.
   *
   * @param width in pixels
   * @param height in pixels
   * @param filter how 8 bit pictures are resized; numbers take the nearest pixel
   * @return fresh values from -1 to 1
   */
  public ImageTensor tensor(int width, int height, Resampling filter) {
    if (images.isEmpty()) {
      return nearest(width, height);
    }
    List<BufferedImage> resized =
        images.stream().map(image -> filter.resize(image, width, height)).toList();
    return new ImageTensor(Images.toTensor(resized), resized.size(), height, width);
  }

  /** Numbers from -1 to 1 become 0 to 1. */
  @Override
  public ImageTensor levels(int width, int height) {
    if (images.isEmpty()) {
      ImageTensor nearest = nearest(width, height);
      float[] values = nearest.values();
      for (int i = 0; i < values.length; i++) {
        values[i] = values[i] / 2 + 0.5f;
      }
      return nearest;
    }
    List<BufferedImage> resized =
        images.stream().map(image -> Resampling.LANCZOS.resize(image, width, height)).toList();
    return new ImageTensor(Images.toLevels(resized), resized.size(), height, width);
  }

  /** The pictures as they are; numbers become 8 bit levels. */
  @Override
  public List<BufferedImage> images() {
    return images.isEmpty()
        ? Images.fromTensor(tensor.values(), tensor.width(), tensor.height())
        : images;
  }

  private ImageTensor nearest(int width, int height) {
    float[] from = tensor.values();
    float[] to =
        new float[Math.multiplyExact(3 * tensor.batch(), Math.multiplyExact(width, height))];
    int at = 0;
    for (int plane = 0; plane < 3 * tensor.batch(); plane++) {
      for (int y = 0; y < height; y++) {
        long row = (long) y * tensor.height() / height + (long) plane * tensor.height();
        for (int x = 0; x < width; x++) {
          to[at++] = from[(int) (row * tensor.width() + (long) x * tensor.width() / width)];
        }
      }
    }
    return new ImageTensor(to, tensor.batch(), height, width);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Pictures pictures
        && count() == pictures.count()
        && width() == pictures.width()
        && height() == pictures.height()
        && Arrays.equals(tensor.values(), pictures.tensor.values())
        && images.size() == pictures.images.size()
        && Canvas.same(images, pictures.images);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * count() + width()) + height();
  }

  @Override
  public String toString() {
    return "%d picture(s) of %d x %d".formatted(count(), width(), height());
  }
}
