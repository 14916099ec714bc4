package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.image.PictureFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskCommandsTest {

  private static final String APPLE = "../core/src/test/resources/reference/red-apple-seed42.png";
  private static final Path MODELS = Path.of("../core/src/test/resources/goldens/pipelines");

  @TempDir Path folder;

  private Path out;
  private Path mask;

  @BeforeEach
  void draw() throws IOException {
    out = folder.resolve("out.png");
    mask = folder.resolve("mask.png");
    BufferedImage image = new BufferedImage(128, 128, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 64 * 128; i++) {
      image.getRaster().setSample(64 + i % 64, i / 64, 0, 255);
    }
    ImageIO.write(image, "png", mask.toFile());
  }

  private BufferedImage paint(String... args) throws IOException {
    Run run = Run.of(args);
    assertEquals(0, run.code(), run.err());
    return PictureFile.read(out);
  }

  @Test
  void paintsOverAPicture() throws IOException {
    String[] args = {
      "img2img",
      "a green apple",
      "--image=" + APPLE,
      "--strength=0.5",
      "--steps=4",
      "--seed=1",
      "--out=" + out
    };
    BufferedImage image = paint(args);
    assertEquals(128, image.getWidth());
    args[3] = "--strength=1";
    assertNotEquals(image.getRGB(64, 64), paint(args).getRGB(64, 64));
  }

  @Test
  void paintsAPartAndKeepsTheRest() throws IOException {
    BufferedImage apple = PictureFile.read(Path.of(APPLE));
    BufferedImage image =
        paint(
            "inpaint",
            "a lemon",
            "--image=" + APPLE,
            "--mask=" + mask,
            "--overlay",
            "--steps=2",
            "--seed=1",
            "--out=" + out);
    for (int y = 0; y < 128; y++) {
      assertEquals(apple.getRGB(20, y), image.getRGB(20, y));
    }
    assertNotEquals(apple.getRGB(100, 64), image.getRGB(100, 64));
  }

  @Test
  void goesOnBeyondTheEdges() throws IOException {
    BufferedImage image =
        paint(
            "inpaint",
            "an apple",
            "--image=" + APPLE,
            "--extend=32,0,0,32",
            "--steps=1",
            "--out=" + out);
    assertEquals(160, image.getWidth());
    assertEquals(160, image.getHeight());
  }

  @Test
  void keepsToOtherPictures() throws IOException {
    Path model = MODELS.resolve("../control/pipelines/controlnet-several/model");
    String[] args = {
      "control",
      "a house",
      "--model=" + model,
      "--image=" + APPLE,
      "--preprocess=canny",
      "--scale=0.5",
      "--image=" + APPLE,
      "--preprocess=invert",
      "--controlnet=" + model.resolve("controlnet"),
      "--end=0.5",
      "--guess",
      "--steps=2",
      "--seed=1",
      "--out=" + out
    };
    BufferedImage image = paint(args);
    assertEquals(128, image.getWidth(), "the first control's size");
    args[5] = "--scale=2";
    assertNotEquals(image.getRGB(64, 64), paint(args).getRGB(64, 64));
  }

  @Test
  void keepsToAPictureWhilePaintingOverAnother() throws IOException {
    BufferedImage image =
        paint(
            "control",
            "a house",
            "--model=" + MODELS.resolve("controlnet/model"),
            "--image=" + APPLE,
            "--over=" + APPLE,
            "--mask=" + mask,
            "--steps=2",
            "--seed=1",
            "--out=" + out);
    assertEquals(128, image.getWidth());
    assertEquals(2, Run.of("control", "x", "--image=" + APPLE, "--strength=0.5").code());
  }

  @Test
  void imagePromptNeedsAModelWithAnAdapter() {
    Run run = Run.of("control", "a house", "--ip-image=" + APPLE, "--steps=1", "--out=" + out);
    assertTrue(run.err().contains("takes no image prompt"), run.err());
    assertEquals(2, run.code(), run.err());
    assertEquals(2, Run.of("control", "a house").code(), "no picture");
    assertEquals(2, Run.of("control", "x", "--image=" + APPLE, "--ip-scale=1").code());
  }

  @Test
  void enlargesWithAnOrdinaryModel() throws IOException {
    BufferedImage image =
        paint(
            "upscale", "an apple", "--image=" + APPLE, "--scale=1.3", "--steps=4", "--out=" + out);
    assertEquals(160, image.getWidth(), "1.3 times 128, cut to a multiple of 32");
  }

  @Test
  void enlargesWithAnUpscaler() throws IOException {
    BufferedImage image =
        paint(
            "upscale",
            "a cat",
            "--image=" + MODELS.resolve("upscaler-x4/inputs/small_wide.png"),
            "--model=" + MODELS.resolve("upscaler-x4/model"),
            "--steps=2",
            "--out=" + out);
    assertEquals(80, image.getWidth());
    assertEquals(48, image.getHeight());
  }

  @Test
  void followsInstructionsWithAModelForThem() throws IOException {
    BufferedImage image =
        paint(
            "img2img",
            "make it winter",
            "--image=" + MODELS.resolve("pix2pix/inputs/wide.png"),
            "--model=" + MODELS.resolve("pix2pix/model"),
            "--steps=2",
            "--out=" + out);
    assertEquals(80, image.getWidth());
  }

  @Test
  void theRecordNamesTheTask() throws IOException {
    paint("img2img", "an apple", "--image=" + APPLE, "--steps=4", "--strength=0.5", "--out=" + out);
    Map<String, String> texts = PictureFile.readTexts(out);
    String json = String.join("", texts.values());
    assertTrue(json.contains("\"task\":\"image to image\""), json);
    assertTrue(json.contains("Denoising strength: 0.5"), json);
    Run again = Run.of("generate", "--from=" + out);
    assertEquals(1, again.code());
    assertTrue(again.err().contains("image to image"), again.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | img2img | --steps=2 | Missing required option: '--image=FILE'",
        "1 | img2img | --image=missing.png | missing.png: there is no such file",
        "2 | img2img | --image=APPLE --strength=2 | strength must be above 0 and at most 1, got 2.0",
        "2 | inpaint | --image=APPLE | expected --mask FILE or --extend",
        "2 | inpaint | --image=APPLE --mask=SMALL | the mask has 64 x 64 pixels, the picture 128 x 128",
        "2 | inpaint | --image=APPLE --extend=1,2 | --extend must be four numbers",
        "2 | inpaint | --image=APPLE --mask=MASK --fill=holes | holes",
        "2 | inpaint | --image=APPLE --mask=MASK --grow-mask=-1 | -1",
        "2 | upscale | --image=APPLE --scale=99 | --scale must be in [1, 16], got 99.0",
        "2 | img2img | --image=APPLE --model=UPSCALER | it is an upscaler, for Upscale",
      })
  void saysWhatIsWrong(int code, String command, String options, String message)
      throws IOException {
    Path small = folder.resolve("small.png");
    ImageIO.write(new BufferedImage(64, 64, BufferedImage.TYPE_BYTE_GRAY), "png", small.toFile());
    String[] args =
        (command
                + " a-fox --out="
                + out
                + " "
                + options
                    .replace("APPLE", APPLE)
                    .replace("MASK", mask.toString())
                    .replace("SMALL", small.toString())
                    .replace("UPSCALER", MODELS.resolve("upscaler-x4/model").toString()))
            .split(" ");
    Run run = Run.of(args);
    assertTrue(run.err().contains(message), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertFalse(run.err().contains("unexpected"), run.err());
    assertEquals(code, run.code());
    assertFalse(out.toFile().exists());
  }
}
