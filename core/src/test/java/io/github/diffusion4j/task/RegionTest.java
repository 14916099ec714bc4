package io.github.diffusion4j.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Parts around a mask: where they are, how they are cut and set back, against diffusers. */
class RegionTest {

  private static final SafetensorsFile FILE = open();

  private static SafetensorsFile open() {
    try {
      return SafetensorsFile.open(
          Goldens.resource("/io/github/diffusion4j/task/crops.safetensors"));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static BufferedImage picture(String name) {
    List<Long> shape = FILE.info(name).shape();
    int height = shape.get(0).intValue();
    int width = shape.get(1).intValue();
    boolean grey = shape.size() == 2;
    BufferedImage image =
        new BufferedImage(
            width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    long[] levels = FILE.longs(name);
    int bands = grey ? 1 : 3;
    for (int i = 0; i < levels.length; i++) {
      image.getRaster().setSample(i / bands % width, i / bands / width, i % bands, (int) levels[i]);
    }
    return image;
  }

  private static void same(String name, BufferedImage actual) {
    BufferedImage expected = picture(name);
    assertEquals(expected.getWidth(), actual.getWidth(), name + " width");
    assertEquals(expected.getHeight(), actual.getHeight(), name + " height");
    assertArrayEquals(Canvas.levels(expected), Canvas.levels(actual), name);
  }

  @TestFactory
  List<DynamicTest> partsAreCutAndSetBackAsDiffusersDoesIt() {
    List<DynamicTest> tests = new ArrayList<>();
    for (String tensor : FILE.names()) {
      if (tensor.endsWith(".region")) {
        String name = tensor.substring(0, tensor.indexOf('.'));
        tests.add(DynamicTest.dynamicTest(name, () -> check(name)));
      }
    }
    assertEquals(6, tests.size());
    return tests;
  }

  private static void check(String name) {
    BufferedImage image = picture(name + ".image");
    BufferedImage mask = picture(name + ".mask");
    BufferedImage painting = picture(name + ".painting");
    int width = painting.getWidth();
    int height = painting.getHeight();
    Region region =
        Region.around(mask, (int) FILE.longs(name + ".padding")[0])
            .inProportion(width, height, mask.getWidth(), mask.getHeight());
    assertArrayEquals(
        FILE.longs(name + ".region"),
        new long[] {region.left(), region.top(), region.right(), region.bottom()},
        "region");
    same(name + ".fitted", region.fitted(image, width, height));
    same(name + ".fitted_mask", region.fitted(mask, width, height));
    same(name + ".result", Overlay.apply(region.placed(painting, image), image, mask));
    BufferedImage turned = new BufferedImage(image.getWidth(), image.getHeight(), image.getType());
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        turned.setRGB(image.getWidth() - 1 - x, image.getHeight() - 1 - y, image.getRGB(x, y));
      }
    }
    same(name + ".whole", Overlay.apply(turned, image, mask));
  }

  @Test
  void blackMaskHasNoRegion() {
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> Region.around(new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY), 2));
    assertTrue(thrown.getMessage().contains("white"), thrown.getMessage());
  }
}
