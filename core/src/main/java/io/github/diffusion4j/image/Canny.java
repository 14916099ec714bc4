package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import java.awt.image.BufferedImage;
import java.util.function.UnaryOperator;

/**
 * Edges of a picture (Canny 1986), white on black, pixel for pixel those of OpenCV's {@code Canny}
 * of a colour picture: a 3 x 3 Sobel operator, gradients by the sum of their absolute parts, of
 * each pixel's colours the one with the largest.
 *
 * @param low gradient above which an edge goes on, at least 0
 * @param high gradient above which an edge begins, at least {@code low}
 */
public record Canny(int low, int high) implements UnaryOperator<BufferedImage> {

  /** Thresholds that ControlNets for edges are commonly given. */
  public static final Canny DEFAULT = new Canny(100, 200);

  /** The tangent of 22.5 degrees in 15 bit fixed point. */
  private static final int TANGENT = 13573;

  private static final int SHIFT = 15;

  /** Checks the thresholds. */
  public Canny {
    if (low < 0 || high < low) {
      throw new IllegalArgumentException(
          "thresholds must be 0 <= low <= high, got " + low + " and " + high);
    }
  }

  /**
   * Finds the edges.
   *
   * @param image of any type; unchanged
   * @return as large, 8 bit RGB
   */
  @Override
  public BufferedImage apply(BufferedImage image) {
    Raster8 from = Raster8.rgb(requireNonNull(image, "image"));
    Gradients gradients = Gradients.of(from);
    byte[] edges = gradients.followed(low, high);
    Raster8 to = Raster8.black(from.width(), from.height());
    for (int pixel = 0; pixel < edges.length; pixel++) {
      for (int channel = 0; channel < 3; channel++) {
        to.levels()[3 * pixel + channel] = edges[pixel];
      }
    }
    return to.image();
  }

  /**
   * Gradients of all pixels.
   *
   * @param width of the picture
   * @param height of the picture
   * @param across change from left to right
   * @param down change from top to bottom
   */
  private record Gradients(int width, int height, short[] across, short[] down) {

    static Gradients of(Raster8 from) {
      int width = from.width();
      int height = from.height();
      Gradients all =
          new Gradients(width, height, new short[width * height], new short[width * height]);
      for (int y = 0; y < height; y++) {
        int above = Math.max(0, y - 1) * width;
        int below = Math.min(height - 1, y + 1) * width;
        for (int x = 0; x < width; x++) {
          int left = Math.max(0, x - 1);
          int right = Math.min(width - 1, x + 1);
          all.set(from.levels(), new int[] {above, y * width, below}, new int[] {left, x, right});
        }
      }
      return all;
    }

    /** The gradient of the colour that has the largest: red before green before blue. */
    private void set(byte[] levels, int[] rows, int[] columns) {
      int pixel = rows[1] + columns[1];
      int largest = -1;
      for (int channel = 2; channel >= 0; channel--) {
        int x = 0;
        int y = 0;
        for (int i = 0; i < 3; i++) {
          int weight = i == 1 ? 2 : 1;
          x +=
              weight
                  * (level(levels, rows[i] + columns[2], channel)
                      - level(levels, rows[i] + columns[0], channel));
          y +=
              weight
                  * (level(levels, rows[2] + columns[i], channel)
                      - level(levels, rows[0] + columns[i], channel));
        }
        int size = Math.abs(x) + Math.abs(y);
        if (size > largest) {
          largest = size;
          across[pixel] = (short) x;
          down[pixel] = (short) y;
        }
      }
    }

    private static int level(byte[] levels, int pixel, int channel) {
      return levels[3 * pixel + channel] & 0xff;
    }

    /** How strong the gradient is; none outside of the picture. */
    private int size(int x, int y) {
      if (x < 0 || y < 0 || x >= width || y >= height) {
        return 0;
      }
      int pixel = y * width + x;
      return Math.abs(across[pixel]) + Math.abs(down[pixel]);
    }

    /** Whether no neighbour along the gradient is stronger. */
    private boolean isRidge(int x, int y) {
      int pixel = y * width + x;
      int size = size(x, y);
      int steep = Math.abs(down[pixel]) << SHIFT;
      int flat = Math.abs(across[pixel]) * TANGENT;
      if (steep < flat) {
        return size > size(x - 1, y) && size >= size(x + 1, y);
      }
      if (steep > flat + (Math.abs(across[pixel]) << SHIFT + 1)) {
        return size > size(x, y - 1) && size >= size(x, y + 1);
      }
      int side = (across[pixel] ^ down[pixel]) < 0 ? -1 : 1;
      return size > size(x - side, y - 1) && size > size(x + side, y + 1);
    }

    /** Ridges above the high threshold, and those above the low one that touch an edge. */
    byte[] followed(int low, int high) {
      byte[] edges = new byte[width * height];
      boolean[] candidates = new boolean[edges.length];
      int[] found = new int[edges.length];
      int count = 0;
      for (int pixel = 0; pixel < edges.length; pixel++) {
        int x = pixel % width;
        int y = pixel / width;
        if (size(x, y) > low && isRidge(x, y)) {
          candidates[pixel] = true;
          if (size(x, y) > high) {
            edges[pixel] = (byte) 255;
            found[count++] = pixel;
          }
        }
      }
      for (int next = 0; next < count; next++) {
        int x = found[next] % width;
        int y = found[next] / width;
        for (int row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
          for (int column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
            int pixel = row * width + column;
            if (candidates[pixel] && edges[pixel] == 0) {
              edges[pixel] = (byte) 255;
              found[count++] = pixel;
            }
          }
        }
      }
      return edges;
    }
  }
}
