package io.github.diffusion4j.pipeline;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** How far two pictures are apart: the largest difference of a channel, and the PSNR. */
record PictureDifference(int largest, double decibels) {

  static PictureDifference of(Path expected, BufferedImage actual) throws IOException {
    return of(ImageIO.read(expected.toFile()), actual);
  }

  static PictureDifference of(BufferedImage expected, BufferedImage actual) {
    if (expected.getWidth() != actual.getWidth() || expected.getHeight() != actual.getHeight()) {
      throw new AssertionError(
          "picture of %d x %d, expected %d x %d"
              .formatted(
                  actual.getWidth(),
                  actual.getHeight(),
                  expected.getWidth(),
                  expected.getHeight()));
    }
    int largest = 0;
    double squares = 0;
    for (int y = 0; y < expected.getHeight(); y++) {
      for (int x = 0; x < expected.getWidth(); x++) {
        int a = expected.getRGB(x, y);
        int b = actual.getRGB(x, y);
        for (int shift = 0; shift <= 16; shift += 8) {
          int difference = Math.abs((a >> shift & 255) - (b >> shift & 255));
          largest = Math.max(largest, difference);
          squares += difference * difference;
        }
      }
    }
    double mean = squares / (3.0 * expected.getWidth() * expected.getHeight());
    return new PictureDifference(largest, 10 * Math.log10(255.0 * 255.0 / mean));
  }
}
