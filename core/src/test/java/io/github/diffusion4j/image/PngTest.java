package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PngTest {

  private static final String ACCENTS =
      "a café, 猫\nNegative prompt: dog\nSteps: 20, Sampler: Euler a";

  @TempDir Path folder;

  static Random random() {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    return new Random(seed);
  }

  static BufferedImage noise(int width, int height, int type, Random random) {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, random.nextInt());
      }
    }
    return image;
  }

  static int[] colours(BufferedImage image) {
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  private static byte[] encode(BufferedImage image, Map<String, String> texts) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Png.write(image, texts, out);
    return out.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_3BYTE_BGR,
        BufferedImage.TYPE_INT_RGB,
        BufferedImage.TYPE_INT_BGR,
        BufferedImage.TYPE_INT_ARGB,
        BufferedImage.TYPE_4BYTE_ABGR,
        BufferedImage.TYPE_BYTE_GRAY,
        BufferedImage.TYPE_BYTE_BINARY,
        BufferedImage.TYPE_BYTE_INDEXED,
      })
  void pixelsComeBackEqual(int type) throws IOException {
    Random random = random();
    for (int[] size : new int[][] {{1, 1}, {3, 5}, {64, 64}, {257, 100}}) {
      BufferedImage image = noise(size[0], size[1], type, random);
      byte[] file = encode(image, Map.of());
      BufferedImage back = ImageIO.read(new ByteArrayInputStream(file));
      assertArrayEquals(colours(image), colours(back), Arrays.toString(size));
    }
  }

  @Test
  void aPartOfALargerPictureComesBackEqual() throws IOException {
    Random random = random();
    for (int type : new int[] {BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_BYTE_GRAY}) {
      BufferedImage image = noise(40, 30, type, random).getSubimage(3, 4, 21, 17);
      BufferedImage back = ImageIO.read(new ByteArrayInputStream(encode(image, Map.of())));
      assertArrayEquals(colours(image), colours(back));
    }
  }

  @Test
  void textsSurvive() throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(Png.PARAMETERS, ACCENTS);
    texts.put(Png.PROVENANCE, "{\"prompt\":\"\\u0000 \uD83D\uDC31\"}");
    texts.put("Latin", "caf\u00e9\nline\ttab \u0001 \u0085\u00a0");
    texts.put("Empty", "");
    texts.put("Long", "x".repeat(1 << 20));
    Path file = folder.resolve("a.png");
    BufferedImage image = noise(8, 8, BufferedImage.TYPE_INT_RGB, random());
    Png.write(image, texts, file);
    assertEquals(List.copyOf(texts.entrySet()), List.copyOf(Png.readTexts(file).entrySet()));
    assertArrayEquals(colours(image), colours(ImageIO.read(file.toFile())));
    String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
    assertTrue(bytes.contains("iTXtparameters\0\0\0\0\0"), "iTXt for what Latin-1 cannot hold");
    assertTrue(bytes.contains("tEXtLatin\0caf\u00e9"), "tEXt for what it can");
  }

  @Test
  void textsOfOtherProgramsAreRead() throws IOException {
    try (var in = PngTest.class.getResourceAsStream("texts.png")) {
      Map<String, String> texts = Png.readTexts(in);
      String unicode = ACCENTS + ", CFG scale: 7, Seed: 1";
      assertEquals("latin café\nSteps: 20, Seed: 1, Size: 11x7", texts.get(Png.PARAMETERS));
      assertEquals("long ".repeat(400), texts.get("zipped"));
      assertEquals(unicode, texts.get("unicode"));
      assertEquals(unicode.repeat(50), texts.get("unicode zipped"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " a", "a ", "naïve\u0000", "\u732b", "tab\t"})
  void keywordsOutsideTheFormatAreRefused(String keyword) {
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    assertThrows(IllegalArgumentException.class, () -> encode(image, Map.of(keyword, "text")));
    assertThrows(
        IllegalArgumentException.class, () -> encode(image, Map.of("k".repeat(80), "text")));
  }

  @Test
  void nulInATextIsRefusedAndLeavesNoFile() throws IOException {
    Path file = folder.resolve("a.png");
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    assertThrows(IllegalArgumentException.class, () -> Png.write(image, Map.of("k", "a\0b"), file));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void corruptFilesGiveAClearError() throws IOException {
    byte[] good = encode(new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB), Map.of("k", "text"));
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      IOException error = assertThrows(IOException.class, () -> read(cut), "cut at " + length);
      assertTrue(error.getMessage().contains("PNG"), error.getMessage());
    }
    int at = new String(good, StandardCharsets.ISO_8859_1).indexOf("text");
    byte[] flipped = good.clone();
    flipped[at] ^= 1;
    assertMessage("CRC is wrong", flipped);
    assertMessage("not a PNG file", "GIF89a, not a PNG".getBytes(StandardCharsets.US_ASCII));
    assertMessage("has a length over", file("tEXt", -1, new byte[0]));
    assertMessage("has 2147483647 bytes; the limit", file("iTXt", Integer.MAX_VALUE, new byte[0]));
    assertMessage("ends after its chunk tEXt", file("tEXt", 16 << 20, new byte[100]));
  }

  @Test
  void corruptTextsGiveAClearError() throws IOException {
    assertMessage("too short", text("tEXt", "no end"));
    assertMessage("unknown compression method", text("zTXt", "k\0\1"));
    assertMessage("corrupt", text("zTXt", "k\0\0garbage"));
    assertMessage("ends early", text("zTXt", "k\0\0"));
    assertMessage("not UTF-8", text("iTXt", "k\0\0\0\0\0\u00ff"));
    assertEquals(Map.of(" odd\t", "a\0b"), read(text("tEXt", " odd\t\0a\0b")));
    assertMessage("too short", text("iTXt", "k\0\0"));
  }

  @Test
  void aDecompressionBombIsRefused() throws IOException {
    Deflater deflater = new Deflater(9);
    deflater.setInput(new byte[64 << 20]);
    deflater.finish();
    byte[] packed = new byte[1 << 20];
    int length = deflater.deflate(packed);
    deflater.end();
    String bomb = new String(packed, 0, length, StandardCharsets.ISO_8859_1);
    assertMessage("inflates to more than", text("zTXt", "k\0\0" + bomb));
    assertMessage("inflates to more than", text("iTXt", "k\0\1\0\0\0" + bomb));
  }

  private static Map<String, String> read(byte[] file) throws IOException {
    return Png.readTexts(new ByteArrayInputStream(file));
  }

  private static void assertMessage(String expected, byte[] file) {
    IOException error = assertThrows(IOException.class, () -> read(file));
    assertTrue(error.getMessage().contains(expected), error.getMessage());
  }

  private static byte[] text(String type, String latin) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PngEncoder png = new PngEncoder(out);
    byte[] data = latin.getBytes(StandardCharsets.ISO_8859_1);
    png.signature();
    png.chunk(type, data, data.length);
    png.chunk("IEND", new byte[0], 0);
    return out.toByteArray();
  }

  private static byte[] file(String type, int length, byte[] data) {
    return ByteBuffer.allocate(16 + data.length)
        .putLong(PngEncoder.SIGNATURE)
        .putInt(length)
        .put(type.getBytes(StandardCharsets.US_ASCII))
        .put(data)
        .array();
  }
}
