package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class MasksTest {

  @Test
  void greyIsPillows() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(ImagesTest.resource("masks.safetensors"))) {
      BufferedImage grey = Masks.grey(ResamplingTest.input("source.png"));
      assertEquals(BufferedImage.TYPE_BYTE_GRAY, grey.getType());
      assertArrayEquals(file.longs("source.grey"), ResamplingTest.levels(grey));
    }
  }

  @Test
  void masksAreBinaryAtHalf() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(ImagesTest.resource("masks.safetensors"))) {
      float[] mask = Masks.toTensor(ResamplingTest.input("levels.png"), 16, 16);
      assertArrayEquals(file.floats("levels.binary"), mask);
    }
  }

  @TestFactory
  List<DynamicTest> blurAndDilateArePillows() throws Exception {
    SafetensorsFile file = SafetensorsFile.open(ImagesTest.resource("masks.safetensors"));
    List<DynamicTest> tests = new ArrayList<>();
    for (String name : file.names()) {
      String[] parts = name.split("\\.", 3);
      if (parts.length == 3) {
        double amount = Double.parseDouble(parts[2]);
        BufferedImage image = ResamplingTest.input(parts[0] + ".png");
        tests.add(
            DynamicTest.dynamicTest(
                name,
                () ->
                    assertArrayEquals(
                        file.longs(name),
                        ResamplingTest.levels(
                            parts[1].equals("blur")
                                ? Masks.blur(image, amount)
                                : Masks.dilate(image, (int) amount / 2)))));
      }
    }
    assertEquals(16, tests.size());
    return tests;
  }

  @Test
  void badAmountsAreRefused() {
    BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
    assertThrows(IllegalArgumentException.class, () -> Masks.blur(image, Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> Masks.blur(image, -1));
    assertThrows(IllegalArgumentException.class, () -> Masks.dilate(image, -1));
    assertEquals(2, Masks.dilate(image, Integer.MAX_VALUE).getWidth());
    assertEquals(2, Masks.blur(image, 1000).getWidth());
  }
}
