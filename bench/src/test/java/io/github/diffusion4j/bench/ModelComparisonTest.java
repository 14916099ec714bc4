package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelComparisonTest {

  @Test
  void sameModelPaintsTheSame() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ModelComparison.run(
        List.of("tiny", "tiny"), new PrintStream(bytes, true, StandardCharsets.UTF_8));
    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals(4, lines.size());
    assertTrue(lines.get(3).endsWith("| the same |"), lines.get(3));
  }

  @Test
  void oneModelIsNothingToCompare() {
    assertThrows(
        IllegalArgumentException.class, () -> ModelComparison.run(List.of("tiny"), System.out));
  }

  @Test
  void numbersOfFeatureReuseAreRead() {
    for (String wrong : List.of("tiny@", "tiny@x", "tiny@0", "tiny@3,x", "tiny@3,-1")) {
      assertThrows(
          IllegalArgumentException.class,
          () -> ModelComparison.run(List.of("tiny", wrong), System.out),
          wrong);
    }
    String message = // the tiny model is of ONNX files
        assertThrows(
                IllegalArgumentException.class,
                () -> ModelComparison.run(List.of("tiny@1", "tiny@3,1"), System.out))
            .getMessage();
    assertTrue(message.contains("feature reuse"), message);
  }

  @Test
  void decibelsOfOneLevelEverywhere() {
    BufferedImage black = picture(0);
    BufferedImage other = picture(0x010101);
    assertEquals(48.13, ModelComparison.decibels(List.of(black), List.of(other)), 0.01);
    assertEquals(
        Double.POSITIVE_INFINITY, ModelComparison.decibels(List.of(black), List.of(black)));
  }

  @Test
  void anEqualPictureHidesNoneThatDiffers() {
    BufferedImage black = picture(0);
    BufferedImage other = picture(0x010101);
    double half = ModelComparison.decibels(List.of(black, black), List.of(black, other));
    assertEquals(48.13 + 3.01, half, 0.01);
  }

  private static BufferedImage picture(int colour) {
    BufferedImage picture = new BufferedImage(4, 4, BufferedImage.TYPE_3BYTE_BGR);
    for (int i = 0; i < 16; i++) {
      picture.setRGB(i % 4, i / 4, colour);
    }
    return picture;
  }
}
