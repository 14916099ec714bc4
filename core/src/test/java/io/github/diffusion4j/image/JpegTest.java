package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class JpegTest {

  private static byte[] encode(BufferedImage image, Map<String, String> texts, double quality)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Jpeg.write(image, texts, quality, out);
    return out.toByteArray();
  }

  @Test
  void textsSurvive() throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(Png.PARAMETERS, "a café, 猫 \uD83D\uDC31\nNegative prompt: dog\nSteps: 20");
    texts.put(Png.PROVENANCE, "{\"prompt\":\"猫\"}");
    texts.put("empty", "");
    texts.put("long", "x猫".repeat(100_000));
    byte[] file = encode(ResamplingTest.input("source.png"), texts, 0.9);
    assertEquals(texts, Jpeg.readTexts(new ByteArrayInputStream(file)));
    assertTrue(ImageIO.read(new ByteArrayInputStream(file)).getWidth() == 37);
  }

  @Test
  void parametersTooLongForExifSurvive() throws IOException {
    Map<String, String> texts = Map.of(Png.PARAMETERS, "word ".repeat(20_000));
    byte[] file = encode(ResamplingTest.input("source.png"), texts, 0.9);
    assertEquals(texts, Jpeg.readTexts(new ByteArrayInputStream(file)));
  }

  @Test
  void qualityDecidesSizeAndError() throws IOException {
    BufferedImage image = ResamplingTest.input("source.png");
    byte[] good = encode(image, Map.of(), 1);
    byte[] small = encode(image, Map.of(), 0.1);
    assertTrue(small.length < good.length / 2, small.length + " and " + good.length);
    assertThrows(IllegalArgumentException.class, () -> encode(image, Map.of(), 1.1));
    assertThrows(IllegalArgumentException.class, () -> encode(image, Map.of(), Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> encode(image, Map.of("", "x"), 1));
  }

  @Test
  void greyStaysGreyAndAlphaIsDropped() throws IOException {
    BufferedImage grey = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
    grey.getRaster().setSamples(0, 0, 8, 8, 0, IntStream.generate(() -> 90).limit(64).toArray());
    BufferedImage back = ImageIO.read(new ByteArrayInputStream(encode(grey, Map.of(), 1)));
    assertEquals(1, back.getRaster().getNumBands());
    assertEquals(90, back.getRaster().getSample(3, 3, 0), 1);
    BufferedImage clear = new BufferedImage(8, 8, BufferedImage.TYPE_INT_ARGB);
    clear.setRGB(0, 0, 8, 8, IntStream.generate(() -> 0x00ffffff).limit(64).toArray(), 0, 8);
    back = ImageIO.read(new ByteArrayInputStream(encode(clear, Map.of(), 1)));
    assertEquals(255, back.getRaster().getSample(3, 3, 0), 1);
  }

  @Test
  void userCommentsOfOtherProgramsAreRead() {
    byte[] exif = Exif.withUserComment("猫 Steps: 20");
    assertEquals("猫 Steps: 20", Exif.parse(exif).userComment().orElseThrow());
    byte[] little = exif.clone();
    byte[] text = "猫 Steps: 20".getBytes(StandardCharsets.UTF_16LE);
    System.arraycopy(text, 0, little, little.length - text.length, text.length);
    assertEquals("猫 Steps: 20", Exif.parse(little).userComment().orElseThrow());
    byte[] ascii = exif.clone();
    System.arraycopy("ASCII\0\0\0".getBytes(StandardCharsets.US_ASCII), 0, ascii, 44, 8);
    assertTrue(Exif.parse(ascii).userComment().orElseThrow().contains("S"));
  }

  @Test
  void damagedExifIsAsGoodAsNone() {
    byte[] exif = Exif.withUserComment("text");
    for (int at = 0; at < exif.length; at++) {
      assertEquals(0, Exif.parse(Arrays.copyOf(exif, at)).orientation());
      for (int value : List.of(0, 1, 127, 255)) {
        byte[] changed = exif.clone();
        changed[at] = (byte) value;
        Exif.parse(changed);
      }
    }
    assertArrayEquals(exif, Exif.withUserComment("text"));
  }
}
