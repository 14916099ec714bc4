package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.DiffusionException;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.task.ImageToImage;
import io.github.diffusion4j.task.Pictures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks that are open only while they are needed paint the same and leave nothing behind. */
class ResidencyTest {

  private static final GenerationRequest REQUEST =
      GenerationRequest.prompt("a small cat").steps(2).size(64, 64).seed(3).build();

  @TempDir Path folder;

  private int openBefore;

  @BeforeEach
  void count() {
    openBefore = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(openBefore, NativeCount.open(), "native resources left open");
  }

  private static StableDiffusionPipeline load(Path model, Residency residency) throws IOException {
    return StableDiffusionPipeline.load(
        model, RuntimeOptions.builder().intraOpThreads(1).residency(residency).build());
  }

  private static Recording paint(StableDiffusionPipeline pipeline, GenerationRequest request) {
    Recording recording = new Recording();
    pipeline.generate(request, recording);
    return recording;
  }

  private static void assertSameBits(Recording expected, Recording actual) {
    assertArrayEquals(expected.initial, actual.initial, 0f);
    assertEquals(expected.steps.size(), actual.steps.size());
    for (int i = 0; i < expected.steps.size(); i++) {
      assertArrayEquals(expected.steps.get(i), actual.steps.get(i), 0f);
    }
    assertArrayEquals(expected.image, actual.image, 0f);
  }

  private static GenerationRequest pictureRequest() {
    BufferedImage picture = new BufferedImage(64, 64, BufferedImage.TYPE_3BYTE_BGR);
    picture.createGraphics().fillRect(10, 20, 30, 40);
    return REQUEST.toBuilder().init(new ImageToImage(Pictures.of(picture), 0.9)).build();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sd15",
        "sd15-legacy",
        "sd15-fp16",
        "sd21-v",
        "sdxl",
        "sdxl-refiner",
        "sd3",
        "flux",
        "lcm",
        "ldm-class",
        "ldm-uncond"
      })
  void bothResidenciesPaintTheSameBits(String variant) throws IOException {
    Path model = Goldens.resource("/goldens/pipelines/" + variant + "/model");
    GenerationRequest request =
        switch (variant) {
          case "ldm-class" -> GenerationRequest.classes(1).steps(2).seed(3).build();
          case "ldm-uncond" -> GenerationRequest.unconditional().steps(2).seed(3).build();
          default -> REQUEST;
        };
    Recording all;
    try (StableDiffusionPipeline pipeline = load(model, Residency.ALL)) {
      all = paint(pipeline, request);
    }
    try (StableDiffusionPipeline pipeline = load(model, Residency.ON_DEMAND)) {
      assertEquals(openBefore, NativeCount.open(), "sessions open before the first picture");
      assertSameBits(all, paint(pipeline, request));
      assertEquals(openBefore, NativeCount.open(), "sessions open after a picture");
      assertSameBits(all, paint(pipeline, request));
    }
  }

  /** A session and its options are two things; a generation's tensors come on top. */
  @Test
  void onlyTheDenoiserIsOpenWhileItWorks() throws IOException {
    List<Integer> open = new ArrayList<>();
    StepListener counts =
        new StepListener() {
          @Override
          public void onStep(StepEvent event) {
            open.add(NativeCount.open() - openBefore);
          }
        };
    for (Residency residency : List.of(Residency.ALL, Residency.ON_DEMAND)) {
      try (StableDiffusionPipeline pipeline = load(ModelCopy.original(), residency)) {
        pipeline.generate(REQUEST, counts);
      }
    }
    int last = open.get(open.size() - 1);
    assertEquals(List.of(open.get(0), last), open.stream().distinct().toList());
    assertEquals(4, open.get(0) - last, "text encoder and vae_decoder closed");
  }

  @Test
  void fourThreadsShareWhatIsOpen() throws Exception {
    Recording alone;
    try (StableDiffusionPipeline pipeline = load(ModelCopy.original(), Residency.ALL)) {
      alone = paint(pipeline, REQUEST);
    }
    RuntimeOptions options =
        RuntimeOptions.builder()
            .intraOpThreads(1)
            .residency(Residency.ON_DEMAND)
            .promptCacheBytes(0)
            .build();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(ModelCopy.original(), options)) {
      List<Callable<Recording>> tasks = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        tasks.add(() -> paint(pipeline, REQUEST));
      }
      for (Future<Recording> painted : threads.invokeAll(tasks)) {
        assertSameBits(alone, painted.get());
      }
    } finally {
      threads.shutdown();
      assertTrue(threads.awaitTermination(1, TimeUnit.MINUTES));
    }
  }

  @Test
  void encoderOfPicturesIsOpenedWhenFirstNeeded() throws IOException {
    try (StableDiffusionPipeline pipeline = load(ModelCopy.original(), Residency.ALL)) {
      int loaded = NativeCount.open();
      paint(pipeline, REQUEST);
      assertEquals(loaded, NativeCount.open());
      paint(pipeline, pictureRequest());
      assertEquals(loaded + 2, NativeCount.open(), "the encoder's session and its options");
      paint(pipeline, pictureRequest());
      assertEquals(loaded + 2, NativeCount.open());
    }
  }

  @Test
  void brokenEncoderOfPicturesIsNamedWhenItIsNeeded() throws IOException {
    ModelCopy model = ModelCopy.in(folder);
    Path file = model.file("vae_encoder/model.onnx");
    String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
    Files.writeString(file, bytes.replace("Conv", "Conx"), StandardCharsets.ISO_8859_1);
    try (StableDiffusionPipeline pipeline = load(model.folder(), Residency.ALL)) {
      paint(pipeline, REQUEST);
      GenerationRequest request = pictureRequest();
      ModelFormatException thrown =
          assertThrows(ModelFormatException.class, () -> paint(pipeline, request));
      assertTrue(thrown.getMessage().contains("vae_encoder"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("Conx"), thrown.getMessage());
      paint(pipeline, REQUEST);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"text_encoder", "unet", "vae_decoder", "vae_encoder"})
  void truncatedFileIsRefusedAtLoad(String component) throws IOException {
    ModelCopy model = ModelCopy.in(folder);
    model.truncate(component + "/model.onnx", 0.9);
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class, () -> load(model.folder(), Residency.ON_DEMAND).close());
    assertTrue(thrown.getMessage().contains(component), thrown.getMessage());
  }

  @Test
  void missingWeightsBesideTheFileAreRefusedAtLoad() throws IOException {
    Path legacy = Goldens.resource("/goldens/pipelines/sd15-legacy/model");
    ModelCopy model = ModelCopy.of(legacy, folder.resolve("legacy"));
    model.truncate("unet/weights.pb", 0.5);
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class, () -> load(model.folder(), Residency.ON_DEMAND).close());
    assertTrue(thrown.getMessage().contains("weights.pb"), thrown.getMessage());
    model.delete("unet/weights.pb");
    thrown =
        assertThrows(
            ModelFormatException.class, () -> load(model.folder(), Residency.ON_DEMAND).close());
    assertTrue(thrown.getMessage().contains("missing"), thrown.getMessage());
  }

  @Test
  void fileThatVanishesIsNamed() throws IOException {
    ModelCopy model = ModelCopy.in(folder);
    try (StableDiffusionPipeline pipeline = load(model.folder(), Residency.ON_DEMAND)) {
      model.delete("unet/model.onnx");
      DiffusionException thrown =
          assertThrows(DiffusionException.class, () -> paint(pipeline, REQUEST));
      assertTrue(thrown.getMessage().contains("unet"), thrown.getMessage());
    }
  }
}
