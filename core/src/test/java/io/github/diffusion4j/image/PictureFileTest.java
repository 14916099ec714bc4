package io.github.diffusion4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.tensor.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PictureFileTest {

  private static final Map<String, String> TEXTS =
      Map.of(Png.PARAMETERS, "a café, 猫\nSteps: 1", Png.PROVENANCE, "{\"seed\":1}");

  @TempDir Path folder;

  @TestFactory
  List<DynamicTest> everyKindOfFileGivesWhatPillowGives() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    SafetensorsFile file = SafetensorsFile.open(ImagesTest.resource("files.safetensors"));
    for (String name : file.names()) {
      tests.add(
          DynamicTest.dynamicTest(
              name,
              () -> {
                BufferedImage image = PictureFile.read(ImagesTest.resource("inputs/" + name));
                assertEquals(BufferedImage.TYPE_3BYTE_BGR, image.getType());
                assertEquals(
                    file.info(name).shape(),
                    List.of((long) image.getHeight(), (long) image.getWidth(), 3L));
                assertArrayEquals(file.longs(name), ResamplingTest.levels(image));
              }));
    }
    assertTrue(tests.size() > 40, "only " + tests.size() + " files");
    return tests;
  }

  @Test
  void theSizeIsCheckedBeforeDecoding() throws IOException {
    Path file = ImagesTest.resource("inputs/source.png");
    assertEquals(37, PictureFile.read(file, 37 * 29).getWidth());
    Exception error = assertThrows(IOException.class, () -> PictureFile.read(file, 37 * 29 - 1));
    assertTrue(error.getMessage().contains("37x29 pixels; the limit is 1072"), error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> PictureFile.read(file, 0));
    Path bomb = bomb(2_000_000_000, 2_000_000_000);
    error = assertThrows(IOException.class, () -> PictureFile.read(bomb));
    assertTrue(error.getMessage().contains("2000000000x2000000000"), error.getMessage());
  }

  private Path bomb(int width, int height) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PngEncoder png = new PngEncoder(out);
    png.signature();
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    png.chunk("IHDR", header.put((byte) 8).put((byte) 2).array(), 13);
    png.chunk("IDAT", new byte[100], 100);
    png.chunk("IEND", new byte[0], 0);
    return Files.write(folder.resolve("bomb.png"), out.toByteArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"source.png", "photo420.jpg", "plain.gif", "plain.bmp"})
  void truncatedAndMutatedFilesGiveAnIoErrorOrAPicture(String name) throws IOException {
    byte[] good = Files.readAllBytes(ImagesTest.resource("inputs/" + name));
    Path file = folder.resolve(name);
    Random random = PngTest.random();
    for (int round = 0; round < 300; round++) {
      byte[] bad = round % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
      for (int i = random.nextInt(4); i > 0 && round % 2 == 1; i--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      Files.write(file, bad);
      try {
        PictureFile.read(file, 10_000);
        PictureFile.readTexts(file);
      } catch (IOException e) {
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"source.png", "photo420.jpg"})
  void aHalfFileIsAnError(String name) throws IOException {
    byte[] good = Files.readAllBytes(ImagesTest.resource("inputs/" + name));
    Path file = Files.write(folder.resolve(name), Arrays.copyOf(good, good.length / 2));
    assertThrows(IOException.class, () -> PictureFile.read(file));
  }

  @Test
  void whatIsNoPictureIsAClearError() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "hello");
    Exception error = assertThrows(IOException.class, () -> PictureFile.read(file));
    assertTrue(error.getMessage().contains("not a picture"), error.getMessage());
    assertEquals(Map.of(), PictureFile.readTexts(file));
    assertThrows(NoSuchFileException.class, () -> PictureFile.read(folder.resolve("none.png")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.png", "a.PNG", "a.jpg", "a.JPEG"})
  void writesByExtensionWithTexts(String name) throws IOException {
    BufferedImage image = ResamplingTest.input("source.png");
    Path file = folder.resolve(name);
    PictureFile.write(image, TEXTS, file);
    assertEquals(TEXTS, PictureFile.readTexts(file));
    BufferedImage back = PictureFile.read(file);
    assertEquals(37, back.getWidth());
    if (ImageFormat.of(file) == ImageFormat.PNG) {
      assertArrayEquals(PngTest.colours(image), PngTest.colours(back));
    }
    try (var files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void unsupportedOutputsAreRefusedBeforehand() throws IOException {
    for (String name : List.of("a.webp", "a", "png", "a.png.bak", ".")) {
      Exception error =
          assertThrows(
              IllegalArgumentException.class,
              () -> PictureFile.checkWritable(folder.resolve(name)));
      assertTrue(error.getMessage().contains("must end in .png, .jpg or .jpeg"));
    }
    assertThrows(IllegalArgumentException.class, () -> ImageFormat.of(Path.of("/")));
    assertThrows(
        NoSuchFileException.class, () -> PictureFile.checkWritable(folder.resolve("no/a.png")));
    Files.createDirectory(folder.resolve("folder.png"));
    assertThrows(IOException.class, () -> PictureFile.checkWritable(folder.resolve("folder.png")));
    assertEquals(ImageFormat.JPEG, PictureFile.checkWritable(folder.resolve("a.jpg")));
  }
}
