package io.github.diffusion4j.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Control;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.image.Png;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What requests may ask of feature reuse, what is refused, and what pictures say of it. */
class FeatureReuseRequestTest {

  private static final RuntimeOptions OPTIONS = RuntimeOptions.builder().intraOpThreads(1).build();

  @TempDir Path place;
  private int before;

  @BeforeEach
  void count() {
    before = NativeCount.open();
  }

  @AfterEach
  void nothingIsLeftOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  private static GenerationRequestBuilder request() {
    return GenerationRequest.prompt("a cat").size(64, 48).steps(3).seed(3);
  }

  private StableDiffusionPipeline load() throws IOException {
    Path model = FeatureReuseGoldenTest.model("two-layers", place);
    return StableDiffusionPipeline.load(model, OPTIONS);
  }

  @Test
  void aPictureSaysHowAndIsPaintedAgain() throws IOException {
    try (StableDiffusionPipeline pipeline = load()) {
      GenerationRequest request = request().featureReuse(new FeatureReuse(3, 1)).build();
      GenerationResult result = pipeline.generate(request);
      Path file = result.save(place.resolve("cat.png")).get(0);
      assertEquals(new FeatureReuse(3, 1), Provenance.readRequest(file).featureReuse());
      String text = result.provenance().texts(0).get(Png.PARAMETERS);
      assertTrue(text.contains("Feature reuse: \"3, branch 1\""), text);
      String plain = pipeline.generate(request().build()).provenance().toJson(0);
      assertFalse(plain.contains("cache_"), plain);
    }
  }

  private static String refused(
      StableDiffusionPipeline pipeline, GenerationRequestBuilder request) {
    return assertThrows(IllegalArgumentException.class, () -> pipeline.generate(request.build()))
        .getMessage();
  }

  @Test
  void wrongNumbersAreRefused() throws IOException {
    for (int[] wrong : new int[][] {{0, 0}, {-3, 0}, {2, -1}}) {
      assertThrows(IllegalArgumentException.class, () -> new FeatureReuse(wrong[0], wrong[1]));
    }
    try (StableDiffusionPipeline pipeline = load()) {
      String message = refused(pipeline, request().featureReuse(new FeatureReuse(3, 6)));
      assertTrue(message.contains("must be in [0, 5] for this UNet, got 6"), message);
    }
  }

  @Test
  void modelsThatCannotReuseSaySo() throws IOException {
    GenerationRequestBuilder request = request().featureReuse(FeatureReuse.every(3));
    try (StableDiffusionPipeline onnx =
        StableDiffusionPipeline.load(ModelCopy.original(), OPTIONS)) {
      String message = refused(onnx, request);
      assertTrue(message.contains("is an ONNX file"), message);
      assertTrue(message.contains(".safetensors"), message);
    }
    for (String other : List.of("sd3", "flux")) {
      Path folder = Goldens.folder("pipelines").resolve(other + "/model");
      try (StableDiffusionPipeline transformer = StableDiffusionPipeline.load(folder, OPTIONS)) {
        String message =
            refused(
                transformer,
                GenerationRequest.prompt("a cat")
                    .size(64, 64)
                    .steps(2)
                    .featureReuse(FeatureReuse.every(3)));
        assertTrue(message.contains("of a UNet only"), message);
      }
    }
  }

  @Test
  void aModelWithControlNetworksReusesWhereNoneSteers() throws IOException {
    Path controlled = place.resolve("controlled");
    Path original = Goldens.resource("/goldens/control/pipelines/controlnet-several/model");
    ModelCopy copy = ModelCopy.of(original, controlled);
    copy.dropFolder("unet");
    ModelCopy.of(Goldens.resource("/goldens/control/weights/unet"), copy.file("unet"));
    GenerationRequestBuilder request =
        GenerationRequest.prompt("a house")
            .size(32, 32)
            .steps(4)
            .seed(5)
            .featureReuse(FeatureReuse.every(2));
    try (StableDiffusionPipeline pipeline = StableDiffusionPipeline.load(controlled, OPTIONS)) {
      List<float[]> reused = FeatureReuseTest.paint(pipeline, request);
      List<float[]> plain =
          FeatureReuseTest.paint(pipeline, request.featureReuse(FeatureReuse.OFF));
      FeatureReuseTest.assertSame(plain.subList(0, 1), reused.subList(0, 1), 1e-5);
      assertFalse(Arrays.equals(plain.get(1), reused.get(1)));
      Control control =
          new Control(Pictures.of(new ImageTensor(new float[3 * 32 * 32], 1, 32, 32)));
      FeatureReuseTest.paint(pipeline, request.controls(control));
      String message = refused(pipeline, request.featureReuse(FeatureReuse.every(2)));
      assertTrue(message.contains("control networks"), message);
    }
  }
}
