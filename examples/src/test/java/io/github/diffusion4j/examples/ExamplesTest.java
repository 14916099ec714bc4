package io.github.diffusion4j.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.pipeline.GenerationResult;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs every main as a process in a folder of its own. */
class ExamplesTest {

  private static final Path REFERENCE =
      Path.of("../core/src/test/resources/reference/red-apple-seed42.png");
  private static final int SIDE = 128;
  private static final float LEVEL = 2f / 255 + 1e-6f;

  @TempDir Path folder;

  private String run(String classPath, Class<?> main, String... args) throws Exception {
    Path output = Files.createTempFile("diffusion4j-", ".log");
    Process process =
        new ProcessBuilder(JavaProcess.command(classPath, main, List.of(args)))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), "does not end");
    String text = Files.readString(output, StandardCharsets.UTF_8);
    Files.delete(output);
    assertEquals(0, process.exitValue(), text);
    return text;
  }

  private String run(Class<?> main) throws Exception {
    return run(System.getProperty("java.class.path"), main);
  }

  private float[] pixels(String name) throws IOException {
    return Images.toTensor(List.of(PictureFile.read(folder.resolve(name))));
  }

  private float[] apple() throws IOException {
    return Images.toTensor(List.of(PictureFile.read(REFERENCE)));
  }

  @Test
  void textToImagePaintsTheApple() throws Exception {
    assertTrue(run(TextToImage.class).contains("[picture.png]"));
    assertArrayEquals(apple(), pixels("picture.png"), LEVEL);
  }

  @Test
  void ownSchedulerPaintsTheSameApple() throws Exception {
    run(OwnScheduler.class);
    assertArrayEquals(apple(), pixels("turn.png"), LEVEL);
  }

  @Test
  void progressIsToldUntilTheCancel() throws Exception {
    String text = run(ProgressAndCancel.class);
    assertTrue(text.contains("step 1 of 1000, timestep 999"), text);
    assertTrue(text.contains("the generation was cancelled"), text);
  }

  @Test
  void threadsShareAPipeline() throws Exception {
    run(SharedPipeline.class);
    try (var pipeline = StableDiffusionPipeline.load(Path.of("models/emoji-ldm"))) {
      GenerationResult alone =
          pipeline.generate(GenerationRequest.prompt("a banana").seed(1).build());
      assertArrayEquals(Images.toTensor(alone.images()), pixels("fruit-1.png"));
    }
  }

  @Test
  void paintsOverAPicture() throws Exception {
    run(PaintOver.class);
    float[] green = pixels("green.png");
    assertTrue(middle(green, 1) > middle(green, 0) + 0.2, "the apple has become green");
  }

  @Test
  void paintsAPartOfAPicture() throws Exception {
    run(PaintPart.class);
    float[] half = pixels("half.png");
    float[] apple = apple();
    double kept = 0;
    double painted = 0;
    for (int i = 0; i < half.length; i++) {
      double difference = Math.abs(half[i] - apple[i]);
      if (i % SIDE < SIDE / 2 - 8) {
        kept += difference / half.length;
      } else {
        painted += difference / half.length;
      }
    }
    assertTrue(kept < 0.05, "the left half is kept, but for the autoencoder: " + kept);
    assertTrue(painted > 2 * kept, "the right half is painted: " + painted);
  }

  /** Mean of a channel in the middle of a picture. */
  private static double middle(float[] pixels, int channel) {
    double sum = 0;
    for (int y = SIDE / 2 - 8; y < SIDE / 2 + 8; y++) {
      for (int x = SIDE / 2 - 8; x < SIDE / 2 + 8; x++) {
        sum += pixels[(channel * SIDE + y) * SIDE + x];
      }
    }
    return sum / 256;
  }

  @Test
  void theModelIsFoundInsideAJar() throws Exception {
    Path jar = folder.resolve("examples.jar");
    Path classes = Path.of("target/classes").toAbsolutePath();
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      zip.setLevel(0);
      for (Path file : files.toList()) {
        String name = classes.relativize(file).toString().replace('\\', '/');
        if (!name.isEmpty()) {
          zip.putNextEntry(new ZipEntry(Files.isDirectory(file) ? name + "/" : name));
          if (Files.isRegularFile(file)) {
            Files.copy(file, zip);
          }
        }
      }
    }
    String classPath =
        System.getProperty("java.class.path").replace(classes.toString(), jar.toString());
    assertTrue(classPath.contains("examples.jar"), classPath);
    run(classPath, TextToImage.class);
    assertArrayEquals(apple(), pixels("picture.png"), LEVEL);
  }
}
