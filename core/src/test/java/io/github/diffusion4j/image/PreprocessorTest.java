package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import java.awt.image.BufferedImage;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Control pictures against OpenCV's, and by hand. */
class PreprocessorTest {

  private static BufferedImage picture(String name) throws IOException {
    return PictureFile.read(Goldens.resource("/goldens/control/" + name + ".png"));
  }

  private static byte[] levels(BufferedImage image) {
    return Raster8.rgb(image).levels();
  }

  @ParameterizedTest
  @CsvSource({
    "scene, 100, 200", "scene, 20, 60", "small, 100, 200", "small, 20, 60",
    "noise, 100, 200", "noise, 20, 60", "smooth, 100, 200", "smooth, 20, 60",
  })
  void edgesAreOpenCvs(String name, int low, int high) throws IOException {
    BufferedImage edges = new Canny(low, high).apply(picture(name));
    BufferedImage expected = picture(name + "_canny_" + low + "_" + high);
    assertArrayEquals(levels(expected), levels(edges));
    if (low == 100) {
      assertArrayEquals(levels(edges), levels(Preprocessor.CANNY.apply(picture(name))));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"scene", "small", "noise", "smooth"})
  void luminanceIsOpenCvsWithinItsRounding(String name) throws IOException {
    byte[] actual = levels(Preprocessor.LUMINANCE.apply(picture(name)));
    byte[] expected = levels(picture(name + "_luminance"));
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < actual.length; i++) {
      int difference = Math.abs((actual[i] & 0xff) - (expected[i] & 0xff));
      assertTrue(difference <= 1, "level " + i + " differs by " + difference);
    }
  }

  private static BufferedImage pixel(int rgb) {
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, rgb);
    return image;
  }

  @ParameterizedTest
  @CsvSource({
    "NONE, 0x0a80ff, 0x0a80ff",
    "INVERT, 0x0a80ff, 0xf57f00",
    "SCRIBBLE, 0x7eff80, 0xffffff",
    "SCRIBBLE, 0x7fff80, 0x000000",
    "THRESHOLD, 0x80ff80, 0xffffff",
    "THRESHOLD, 0x7fff80, 0x000000",
    "LUMINANCE, 0xffffff, 0xffffff",
    "LUMINANCE, 0x000000, 0x000000",
  })
  void onePixel(Preprocessor preprocessor, String from, String to) {
    int made = preprocessor.apply(pixel(Integer.decode(from))).getRGB(0, 0) & 0xffffff;
    assertEquals(Integer.decode(to), made);
  }

  @ParameterizedTest
  @CsvSource({"512, 512, 1024, 1024", "300, 200, 1536, 1024", "100, 333, 1024, 3392"})
  void tilesHaveSidesOfMultiples(int width, int height, int toWidth, int toHeight) {
    BufferedImage tile =
        Preprocessor.TILE.apply(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
    assertEquals(toWidth, tile.getWidth());
    assertEquals(toHeight, tile.getHeight());
  }

  @Test
  void thresholdsAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> new Canny(-1, 5));
    assertThrows(IllegalArgumentException.class, () -> new Canny(200, 100));
  }
}
