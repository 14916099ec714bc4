package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Control;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.PictureSource;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.ControlPlacement;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.onnx.TinyOnnx;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Control networks of every form around a UNet that adds all residuals to its latents: what comes
 * out can be told by hand.
 */
class ControlNetsTest {

  private static final String HIDDEN = "encoder_hidden_states";
  private static final int RESIDUALS = 4;
  private static final LatentShape SHAPE = new LatentShape(1, 1, 1, 2);
  private static final float[] LATENTS = {1, 3};

  @TempDir Path folder;
  private int before;

  @BeforeEach
  void count() {
    before = NativeCount.open();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertEquals(before, NativeCount.open(), "native resources left open");
  }

  private static String residual(int i) {
    return i < RESIDUALS - 1 ? "down_block_" + i : "mid_block_res_sample";
  }

  /** Latents and all residuals added up. */
  private void writeUnet(int type, long batch) throws IOException {
    TinyOnnx unet = new TinyOnnx().input("sample", type, batch, 1, -1, -1);
    unet.input("timestep", TinyOnnx.FLOAT).input(HIDDEN, type, batch, -1, 2);
    String sum = "sample";
    for (int i = 0; i < RESIDUALS; i++) {
      unet.input(residual(i), type, batch, 1, -1, -1);
      String next = i == RESIDUALS - 1 ? "out_sample" : "sum_" + i;
      unet.node("Add", next, sum, residual(i));
      sum = next;
    }
    write("unet", unet.output("out_sample", type, batch, 1, -1, -1), "{");
  }

  private void write(String name, TinyOnnx network, String config) throws IOException {
    Files.createDirectories(folder.resolve(name));
    Files.write(folder.resolve(name).resolve("model.onnx"), network.bytes());
    String blocks = "\"block_out_channels\": [1], \"layers_per_block\": 2}";
    Files.writeString(folder.resolve(name).resolve("config.json"), config + blocks);
    Files.writeString(folder.resolve("model_index.json"), "{}");
  }

  /** Each residual is the latents, or their average, times the scale where it is an input. */
  private void writeNet(String name, int type, boolean scales, boolean pooled) throws IOException {
    TinyOnnx net = new TinyOnnx().input("sample", type, -1, 1, -1, -1);
    net.input("timestep", TinyOnnx.FLOAT).input(HIDDEN, type, -1, -1, 2);
    net.input("controlnet_cond", type, -1, 3, -1, -1);
    if (scales) {
      net.input("conditioning_scale", type).node("Mul", "scaled", "sample", "conditioning_scale");
    } else {
      net.node("Identity", "scaled", "sample");
    }
    for (int i = 0; i < RESIDUALS; i++) {
      net.node(pooled ? "GlobalAveragePool" : "Identity", residual(i), "scaled");
      net.output(residual(i), type, -1, 1, -1, -1);
    }
    write(name, net, pooled ? "{\"global_pool_conditions\": true, " : "{");
  }

  /** A picture that no network here looks at. */
  private static final PictureSource PICTURE =
      new PictureSource() {
        @Override
        public int count() {
          return 1;
        }

        @Override
        public int width() {
          return 2;
        }

        @Override
        public int height() {
          return 1;
        }

        @Override
        public List<BufferedImage> images() {
          return List.of(new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB));
        }

        @Override
        public ImageTensor levels(int width, int height) {
          return new ImageTensor(new float[3 * width * height], 1, height, width);
        }
      };

  private static ControlSchedule schedule(boolean guess, Map<String, Double> scales) {
    SchedulerRun run =
        Schedulers.fromConfig(Map.of("_class_name", "EulerDiscreteScheduler"))
            .start(StepPlan.steps(1), new SampleShape(1, 2), new TorchNoise(0));
    List<ControlSchedule.Signal> signals = new ArrayList<>();
    scales.forEach(
        (net, scale) ->
            signals.add(
                new ControlSchedule.Signal(
                    net, PICTURE.levels(2, 1), new Control(PICTURE).withScale(scale))));
    return new ControlSchedule(signals, guess, run);
  }

  private float[] predict(
      ControlPlacement placement, BranchBatching batching, ControlSchedule schedule)
      throws IOException {
    OrtRuntime runtime =
        OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).controls(placement).build());
    ModelLayout layout = ModelLayout.of(folder);
    try (OrtModel unet = runtime.open("unet", folder.resolve("unet/model.onnx"));
        ControlNets nets = ControlNets.of(layout, runtime, unet, Set.of(HIDDEN))) {
      OrtDenoiserModel model =
          new OrtDenoiserModel(
              unet,
              "sample",
              Set.of(HIDDEN),
              new OrtDenoiserModel.Input(0, 1),
              new OrtDenoiserModel.Steering(Optional.of(nets), Optional.empty()));
      Conditioning conditioning =
          new Conditioning(
              2, 1, List.of(new Conditioning.Input(HIDDEN, new float[8], List.of(2, 2))));
      float[] out = new float[4];
      try (Denoiser denoiser =
          model.controlled(schedule).bind(conditioning, SHAPE, batching, new CancelToken())) {
        denoiser.predict(LATENTS, 1, out);
        denoiser.predict(LATENTS, 1, out); // what is left of the first must not count
      }
      return out;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SEPARATE, TOGETHER, true", "SEPARATE, ONE_BY_ONE, false",
    "MERGED, TOGETHER, false", "MERGED, ONE_BY_ONE, true",
  })
  void residualsTimesScaleAreAdded(
      ControlPlacement placement, BranchBatching batching, boolean scales) throws IOException {
    writeUnet(TinyOnnx.FLOAT, -1);
    writeNet("controlnet", TinyOnnx.FLOAT, scales, false);
    float[] out = predict(placement, batching, schedule(false, Map.of("controlnet", 0.5)));
    assertArrayEquals(new float[] {3, 9, 3, 9}, out, 1e-6f); // x + 4 residuals of x / 2
  }

  @ParameterizedTest
  @CsvSource({"SEPARATE, TOGETHER", "MERGED, TOGETHER", "SEPARATE, ONE_BY_ONE"})
  void guessModeGradesResidualsAndLeavesTheFirstBranchAlone(
      ControlPlacement placement, BranchBatching batching) throws IOException {
    writeUnet(TinyOnnx.FLOAT, -1);
    writeNet("controlnet", TinyOnnx.FLOAT, true, false);
    float[] out = predict(placement, batching, schedule(true, Map.of("controlnet", 2.0)));
    double grades = 0.1 + Math.pow(10, -2 / 3.0) + Math.pow(10, -1 / 3.0) + 1;
    float sum = (float) (1 + 2 * grades);
    assertArrayEquals(new float[] {1, 3, sum, 3 * sum}, out, 1e-5f);
  }

  @ParameterizedTest
  @CsvSource({
    "SEPARATE, TOGETHER",
    "SEPARATE, ONE_BY_ONE",
    "MERGED, TOGETHER",
    "MERGED, ONE_BY_ONE",
  })
  void averagesAreForThePromptsBranchAndMixWithOthers(
      ControlPlacement placement, BranchBatching batching) throws IOException {
    writeUnet(TinyOnnx.FLOAT, -1);
    writeNet("controlnet", TinyOnnx.FLOAT, true, true);
    float[] alone = predict(placement, batching, schedule(false, Map.of("controlnet", 1.0)));
    assertArrayEquals(new float[] {1, 3, 1 + 4 * 2, 3 + 4 * 2}, alone, 1e-6f);
    writeNet("controlnet_1", TinyOnnx.FLOAT, true, false);
    Map<String, Double> both = new java.util.LinkedHashMap<>();
    both.put("controlnet_1", 1.0);
    both.put("controlnet", 1.0);
    float[] out = predict(placement, batching, schedule(false, both));
    assertArrayEquals(new float[] {13, 23, 13, 23}, out, 1e-6f); // 5 x + 4 averages
  }

  @ParameterizedTest
  @CsvSource({"10, SEPARATE", "10, MERGED"})
  void halfPrecisionIsKept(int type, ControlPlacement placement) throws IOException {
    writeUnet(type, -1);
    writeNet("controlnet", type, true, false);
    writeNet("controlnet_1", type, false, false);
    Map<String, Double> both = new java.util.LinkedHashMap<>();
    both.put("controlnet", 0.5);
    both.put("controlnet_1", 2.0);
    float[] out = predict(placement, BranchBatching.TOGETHER, schedule(false, both));
    assertArrayEquals(new float[] {11, 33, 11, 33}, out, 0.5f);
  }

  @Test
  void fixedBatchOfTheUnetGoesRowByRow() throws IOException {
    writeUnet(TinyOnnx.FLOAT, 1);
    writeNet("controlnet", TinyOnnx.FLOAT, true, false);
    float[] out =
        predict(
            ControlPlacement.SEPARATE,
            BranchBatching.TOGETHER,
            schedule(true, Map.of("controlnet", 0.0)));
    assertArrayEquals(new float[] {1, 3, 1, 3}, out, 0f);
  }

  @Test
  void networkOfAnotherPrecisionIsRefusedUnlessMerged() throws IOException {
    writeUnet(TinyOnnx.FLOAT, -1);
    writeNet("controlnet", TinyOnnx.FLOAT16, true, false);
    ControlSchedule schedule = schedule(false, Map.of("controlnet", 0.5));
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class,
            () -> predict(ControlPlacement.SEPARATE, BranchBatching.TOGETHER, schedule));
    assertTrue(thrown.getMessage().contains("precision"), thrown.getMessage());
    float[] out = predict(ControlPlacement.MERGED, BranchBatching.TOGETHER, schedule);
    assertArrayEquals(new float[] {3, 9, 3, 9}, out, 1e-2f);
  }

  @Test
  void aRefusedNetworkIsClosedAgain() throws IOException {
    writeUnet(TinyOnnx.FLOAT, -1);
    writeNet("controlnet", TinyOnnx.FLOAT16, true, false);
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    try (OrtModel unet = runtime.open("unet", folder.resolve("unet/model.onnx"));
        ControlNets nets = ControlNets.of(ModelLayout.of(folder), runtime, unet, Set.of(HIDDEN))) {
      int open = NativeCount.open();
      for (int i = 0; i < 2; i++) {
        assertThrows(ModelFormatException.class, () -> nets.open("controlnet"));
        assertEquals(open, NativeCount.open(), "after request " + i);
      }
    }
  }

  @Test
  void residualsOfAbsurdOrEqualNumbersAreRefusedByName() {
    ConfigFile config = ConfigFile.read(folder, "config.json");
    List<TensorSpec> equal = specs("down_block_0", "down_block_00", "mid_block");
    String message =
        assertThrows(ModelFormatException.class, () -> Residuals.of(equal, config, "net"))
            .getMessage();
    assertTrue(message.contains("down_block_0 ") && message.contains("down_block_00 "), message);
    List<TensorSpec> absurd = specs("down_block_99999999999", "mid_block");
    assertThrows(ModelFormatException.class, () -> Residuals.of(absurd, config, "net"));
    assertFalse(Residuals.isResidual("down_block_99999999999"));
  }

  private static List<TensorSpec> specs(String... names) {
    return Stream.of(names)
        .map(
            name ->
                new TensorSpec(
                    name, ElementType.FLOAT32, List.of(-1L, 1L, -1L, -1L), List.of("", "", "", "")))
        .toList();
  }
}
