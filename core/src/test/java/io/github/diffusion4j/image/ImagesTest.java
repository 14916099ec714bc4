package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ImagesTest {

  static Path resource(String name) {
    try {
      return Path.of(ImagesTest.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void roundsAsTheReferenceDoes() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(resource("tensors.safetensors"))) {
      float[] decoded = file.floats("decoded");
      long[] levels = file.longs("levels");
      int plane = decoded.length / 3;
      BufferedImage image = Images.fromTensor(decoded, plane, 1).get(0);
      for (int x = 0; x < plane; x++) {
        long expected = levels[x] << 16 | levels[plane + x] << 8 | levels[2 * plane + x];
        assertEquals(expected, image.getRGB(x, 0) & 0xffffff, "pixel " + x);
      }
    }
  }

  @Test
  void normalisesAsTheReferenceDoes() throws Exception {
    BufferedImage image = new BufferedImage(256, 1, BufferedImage.TYPE_INT_RGB);
    for (int level = 0; level < 256; level++) {
      image.setRGB(level, 0, level * 0x10101);
    }
    try (SafetensorsFile file = SafetensorsFile.open(resource("tensors.safetensors"))) {
      float[] row = file.floats("normalised");
      float[] expected = new float[3 * 256];
      for (int channel = 0; channel < 3; channel++) {
        System.arraycopy(row, 0, expected, channel * 256, 256);
      }
      assertArrayEquals(expected, Images.toTensor(List.of(image)));
    }
  }

  @Test
  void tensorAndBackKeepsEveryLevel() {
    Random random = PngTest.random();
    List<BufferedImage> images = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      images.add(PngTest.noise(19, 13, BufferedImage.TYPE_INT_RGB, random));
    }
    List<BufferedImage> back = Images.fromTensor(Images.toTensor(images), 19, 13);
    for (int i = 0; i < 3; i++) {
      assertEquals(BufferedImage.TYPE_3BYTE_BGR, back.get(i).getType());
      assertArrayEquals(PngTest.colours(images.get(i)), PngTest.colours(back.get(i)));
    }
  }

  @Test
  void channelsAreRedGreenBlue() {
    BufferedImage image = Images.fromTensor(new float[] {1, -1, -1}, 1, 1).get(0);
    assertEquals(0xffff0000, image.getRGB(0, 0));
    assertArrayEquals(new float[] {1, -1, -1}, Images.toTensor(List.of(image)));
    BufferedImage dark = Images.fromTensor(new float[] {Float.NaN, 1, Float.NaN}, 1, 1).get(0);
    assertEquals(0xff00ff00, dark.getRGB(0, 0));
  }

  @Test
  void rgbDropsAlphaWithoutBlending() {
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0x01804020);
    assertEquals(0xff804020, Images.rgb(image).getRGB(0, 0));
    BufferedImage plain = Images.rgb(image);
    assertSame(plain, Images.rgb(plain));
  }

  @Test
  void greyIsNotRecoloured() {
    BufferedImage image = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
    for (int level = 0; level < 256; level++) {
      image.getRaster().setSample(level, 0, 0, level);
    }
    BufferedImage rgb = Images.rgb(image);
    for (int level = 0; level < 256; level++) {
      assertEquals(0xff000000 | level * 0x10101, rgb.getRGB(level, 0));
    }
  }

  @Test
  void gridPlacesRowByRow() {
    List<BufferedImage> images = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      BufferedImage image = new BufferedImage(2, 3, BufferedImage.TYPE_INT_RGB);
      for (int pixel = 0; pixel < 6; pixel++) {
        image.setRGB(pixel % 2, pixel / 2, i);
      }
      images.add(image);
    }
    BufferedImage sheet = Images.grid(images, 3, 1);
    assertEquals(3 * 3 + 1, sheet.getWidth());
    assertEquals(2 * 4 + 1, sheet.getHeight());
    int[] counts = new int[6];
    for (int y = 0; y < 9; y++) {
      for (int x = 0; x < 10; x++) {
        boolean gap = x % 3 == 0 || y % 4 == 0;
        int cell = x / 3 + 3 * (y / 4) + 1;
        int expected = gap || cell > 5 ? 0 : cell;
        assertEquals(expected, sheet.getRGB(x, y) & 0xff, x + "," + y);
        counts[expected]++;
      }
    }
    assertEquals(6, counts[5]);
    assertEquals(2, Images.grid(images.subList(0, 1), 4, 0).getWidth());
  }

  @Test
  void badArgumentsAreNamed() {
    BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
    BufferedImage other = new BufferedImage(2, 3, BufferedImage.TYPE_INT_RGB);
    assertThrows(IllegalArgumentException.class, () -> Images.fromTensor(new float[11], 2, 2));
    assertThrows(IllegalArgumentException.class, () -> Images.fromTensor(new float[0], 2, 2));
    assertThrows(IllegalArgumentException.class, () -> Images.fromTensor(new float[12], 0, 2));
    assertThrows(
        IllegalArgumentException.class,
        () -> Images.fromTensor(new float[12], Integer.MAX_VALUE, Integer.MAX_VALUE));
    assertThrows(IllegalArgumentException.class, () -> Images.toTensor(List.of()));
    assertThrows(IllegalArgumentException.class, () -> Images.toTensor(List.of(image, other)));
    assertThrows(IllegalArgumentException.class, () -> Images.grid(List.of(image), 0, 0));
    assertThrows(IllegalArgumentException.class, () -> Images.grid(List.of(image), 1, -1));
    assertThrows(IllegalArgumentException.class, () -> Images.grid(List.of(image, other), 1, 0));
  }
}
