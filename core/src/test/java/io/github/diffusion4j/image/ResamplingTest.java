package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ResamplingTest {

  /** Levels of a picture as [H, W, channels], red first. */
  static long[] levels(BufferedImage image) {
    Raster8 raster = Raster8.greyOrRgb(image);
    int channels = raster.channels();
    long[] levels = new long[raster.levels().length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = raster.levels()[i / channels * channels + channels - 1 - i % channels] & 0xff;
    }
    return levels;
  }

  static BufferedImage input(String name) throws IOException {
    return ImageIO.read(ImagesTest.resource("inputs/" + name).toFile());
  }

  @TestFactory
  List<DynamicTest> everyLevelIsPillows() throws Exception {
    Map<String, BufferedImage> inputs = new TreeMap<>();
    for (String name : List.of("source", "grey", "tall")) {
      inputs.put(name, input(name + ".png"));
    }
    List<DynamicTest> tests = new ArrayList<>();
    SafetensorsFile file = SafetensorsFile.open(ImagesTest.resource("resize.safetensors"));
    for (String name : file.names()) {
      String[] parts = name.split("\\.");
      Resampling filter = Resampling.valueOf(parts[1].toUpperCase(Locale.ROOT));
      String[] size = parts[2].split("x");
      tests.add(
          DynamicTest.dynamicTest(
              name,
              () ->
                  assertArrayEquals(
                      file.longs(name),
                      levels(
                          filter.resize(
                              inputs.get(parts[0]),
                              Integer.parseInt(size[0]),
                              Integer.parseInt(size[1]))))));
    }
    assertEquals(2 * 4 * 8 + 4, tests.size());
    return tests;
  }

  @Test
  void badSizesAreRefused() {
    BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
    assertThrows(IllegalArgumentException.class, () -> Resampling.LANCZOS.resize(image, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> Resampling.NEAREST.resize(image, 1, -1));
  }
}
