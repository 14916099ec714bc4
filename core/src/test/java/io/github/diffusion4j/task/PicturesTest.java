package io.github.diffusion4j.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.Masks;
import io.github.diffusion4j.image.Resampling;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures and masks as tasks take them. */
class PicturesTest {

  private static BufferedImage noise(int width, int height, int type) {
    Random random = new Random(11);
    BufferedImage image = new BufferedImage(width, height, type);
    for (int i = 0; i < width * height; i++) {
      image.setRGB(i % width, i / width, random.nextInt());
    }
    return image;
  }

  @Test
  void picturesAreCopies() {
    BufferedImage image = noise(9, 7, BufferedImage.TYPE_3BYTE_BGR);
    Pictures pictures = Pictures.of(image);
    float[] before = pictures.tensor(9, 7, Resampling.LANCZOS).values();
    assertArrayEquals(Images.toTensor(List.of(image)), before);
    image.setRGB(3, 3, Color.BLACK.getRGB());
    assertArrayEquals(before, pictures.tensor(9, 7, Resampling.LANCZOS).values());
  }

  @Test
  void picturesInMemoryAndInFilesAreEqual(@TempDir Path folder) throws IOException {
    BufferedImage image = noise(9, 7, BufferedImage.TYPE_INT_RGB);
    Path file = folder.resolve("noise.png");
    ImageIO.write(image, "png", file.toFile());
    assertEquals(Pictures.of(image), Pictures.read(file));
    assertEquals(Pictures.of(image).hashCode(), Pictures.read(file).hashCode());
    assertNotEquals(Pictures.of(image), Pictures.of(image, image));
    assertEquals(Mask.of(image), Mask.read(file));
  }

  @Test
  void numbersAreNotRounded() {
    float[] values = new float[3 * 4 * 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i);
    }
    Pictures pictures = Pictures.of(new ImageTensor(values, 1, 2, 4));
    assertEquals(1, pictures.count());
    assertEquals(4, pictures.width());
    assertArrayEquals(values, pictures.tensor(4, 2, Resampling.LANCZOS).values());
    float[] doubled = pictures.tensor(8, 4, Resampling.LANCZOS).values();
    for (int i = 0; i < doubled.length; i++) {
      int x = i % 8 / 2;
      int row = i / 8;
      int from = row / 4 * 2 + row % 4 / 2;
      assertEquals(values[from * 4 + x], doubled[i]);
    }
  }

  @Test
  void masksOfNumbersKeepWhatIsAtLeastHalf() {
    float[] values = {0f, 0.4999f, 0.5f, 1f};
    float[] tensor = Masks.toTensor(Mask.of(values, 4, 1).image(), 4, 1);
    assertArrayEquals(new float[] {0, 0, 1, 1}, tensor);
    assertThrows(IllegalArgumentException.class, () -> Mask.of(new float[] {1.5f}, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> Mask.of(values, 3, 1));
  }

  @Test
  void masksGrowSoftenAndInvert() {
    float[] values = new float[25];
    values[12] = 1;
    Mask mask = Mask.of(values, 5, 5);
    float[] grown = Masks.toTensor(mask.dilated(1).image(), 5, 5);
    for (int i = 0; i < 25; i++) {
      boolean inside = Math.abs(i % 5 - 2) <= 1 && Math.abs(i / 5 - 2) <= 1;
      assertEquals(inside ? 1f : 0f, grown[i]);
    }
    float[] inverted = Masks.toTensor(mask.inverted().image(), 5, 5);
    for (int i = 0; i < 25; i++) {
      assertEquals(1 - values[i], inverted[i]);
    }
    assertEquals(mask, mask.inverted().inverted());
    int middle = mask.blurred(1).image().getRaster().getSample(2, 2, 0);
    assertTrue(middle > 0 && middle < 255);
  }

  @Test
  void outpaintingGrowsCanvasAndMask() {
    BufferedImage image = noise(8, 8, BufferedImage.TYPE_3BYTE_BGR);
    Inpaint task = new Outpaint(4, 0, 2, 0, 1).task(Pictures.of(image), Inpaint.Options.DEFAULT);
    assertEquals(14, task.mask().width());
    assertEquals(8, task.mask().height());
    float[] mask = Masks.toTensor(task.mask().image(), 14, 8);
    BufferedImage canvas = task.pictures().images().get(0);
    for (int i = 0; i < mask.length; i++) {
      int x = i % 14;
      assertEquals(x < 5 || x >= 11 ? 1f : 0f, mask[i]);
      int from = Math.max(0, Math.min(7, x - 4));
      assertEquals(image.getRGB(from, i / 14), canvas.getRGB(x, i / 14));
    }
    assertThrows(IllegalArgumentException.class, () -> new Outpaint(0, 0, 0, 0, 4));
    assertThrows(IllegalArgumentException.class, () -> new Outpaint(-1, 0, 0, 8, 4));
    assertThrows(
        IllegalArgumentException.class,
        () -> Outpaint.all(4, 4).task(Pictures.of(image), Inpaint.Options.DEFAULT));
  }

  @Test
  void surroundingColoursFillTheHole() {
    BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_3BYTE_BGR);
    float[] hole = new float[32 * 32];
    for (int i = 0; i < hole.length; i++) {
      boolean inside = Math.abs(i % 32 - 16) < 6 && Math.abs(i / 32 - 16) < 6;
      hole[i] = inside ? 1 : 0;
      image.setRGB(i % 32, i / 32, inside ? 0xff00ff : 0x204080);
    }
    Mask mask = Mask.of(hole, 32, 32);
    BufferedImage filled = Surroundings.fill(image, mask.image());
    for (int i = 0; i < hole.length; i++) {
      int rgb = filled.getRGB(i % 32, i / 32);
      assertEquals(0x20, rgb >> 16 & 0xff, 6);
      assertEquals(0x40, rgb >> 8 & 0xff, 6);
      assertEquals(0x80, rgb & 0xff, 6);
    }
  }
}
