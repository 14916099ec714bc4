package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;

/**
 * How a picture becomes the input of an image encoder such as CLIP's: resized with Pillow's
 * filters, cut out of the middle, brought to numbers and normalised, each in transformers' order
 * and rounding. Immutable and thread-safe.
 *
 * @param resize the first step; empty for none
 * @param crop the second step: what is cut out of the middle, with black where the picture is
 *     smaller; empty for none
 * @param rescale factor of levels 0 to 255; 1 for none, 1/255 for numbers in [0, 1]
 * @param mean subtracted from red, green and blue; three numbers
 * @param deviation divides red, green and blue after that; three numbers other than 0
 */
public record ImageProcessor(
    Optional<Resize> resize,
    Optional<Size> crop,
    double rescale,
    List<Double> mean,
    List<Double> deviation) {

  /**
   * Width and height in pixels, at least 1.
   *
   * @param width in pixels
   * @param height in pixels
   */
  public record Size(int width, int height) {

    /** Checks the range. */
    public Size {
      Images.requireSize(width, height);
    }
  }

  /**
   * A resizing.
   *
   * @param size the new size; of a shortest edge, both numbers are its length
   * @param shortestEdge whether proportions are kept and only the shorter side is given
   * @param filter the filter
   */
  public record Resize(Size size, boolean shortestEdge, Resampling filter) {

    /** Checks that nothing is missing. */
    public Resize {
      requireNonNull(size, "size");
      requireNonNull(filter, "filter");
    }

    private BufferedImage of(BufferedImage image) {
      if (!shortestEdge) {
        return filter.resize(image, size.width, size.height);
      }
      long width = image.getWidth();
      long height = image.getHeight();
      long edge = size.width;
      return width <= height
          ? filter.resize(image, size.width, Math.toIntExact(edge * height / width))
          : filter.resize(image, Math.toIntExact(edge * width / height), size.width);
    }
  }

  /** Checks the numbers and copies the lists. */
  public ImageProcessor {
    requireNonNull(resize, "resize");
    requireNonNull(crop, "crop");
    mean = List.copyOf(mean);
    deviation = List.copyOf(deviation);
    if (mean.size() != 3 || deviation.size() != 3) {
      throw new IllegalArgumentException(
          "mean and deviation must have 3 numbers, got " + mean + " and " + deviation);
    }
    if (!Double.isFinite(rescale) || deviation.stream().anyMatch(value -> !(value != 0))) {
      throw new IllegalArgumentException(
          "rescale must be finite and deviation other than 0, got " + rescale + ", " + deviation);
    }
  }

  /**
   * The numbers of a picture.
   *
   * @param values [3, height, width] row-major; the array itself
   * @param height in pixels
   * @param width in pixels
   */
  public record Pixels(float[] values, int height, int width) {}

  /**
   * Processes one picture.
   *
   * @param image any picture; unchanged
   * @return its numbers, owned by the caller
   */
  public Pixels process(BufferedImage image) {
    BufferedImage rgb = Images.rgb(requireNonNull(image, "image"));
    BufferedImage resized = resize.isPresent() ? resize.get().of(rgb) : rgb;
    Raster8 raster = Raster8.rgb(resized);
    return normalised(crop.isPresent() ? middle(raster, crop.get()) : raster);
  }

  private static Raster8 middle(Raster8 from, Size size) {
    Raster8 to = Raster8.black(size.width, size.height);
    int x = offset(from.width(), size.width);
    int y = offset(from.height(), size.height);
    for (int row = Math.max(0, -y); row < Math.min(size.height, from.height() - y); row++) {
      int first = Math.max(0, -x);
      int end = Math.min(size.width, from.width() - x);
      System.arraycopy(
          from.levels(),
          3 * ((y + row) * from.width() + x + first),
          to.levels(),
          3 * (row * size.width + first),
          3 * (end - first));
    }
    return to;
  }

  /**
   * First pixel of the source, negative where the source is smaller: such a source is put first
   * into the middle of black, which rounds the other way.
   */
  private static int offset(int from, int to) {
    if (from >= to) {
      return (from - to) / 2;
    }
    return -((to - from + 1) / 2);
  }

  private Pixels normalised(Raster8 raster) {
    int plane = raster.width() * raster.height();
    float[] values = new float[3 * plane];
    byte[] levels = raster.levels();
    for (int channel = 0; channel < 3; channel++) {
      float[] table = table(channel);
      for (int pixel = 0; pixel < plane; pixel++) {
        values[channel * plane + pixel] = table[levels[3 * pixel + 2 - channel] & 0xff];
      }
    }
    return new Pixels(values, raster.height(), raster.width());
  }

  /** The number of each level; the reference computes in float32. */
  private float[] table(int channel) {
    float[] table = new float[256];
    float subtracted = (float) (double) mean.get(channel);
    float divisor = (float) (double) deviation.get(channel);
    for (int level = 0; level < table.length; level++) {
      table[level] = ((float) (level * rescale) - subtracted) / divisor;
    }
    return table;
  }
}
