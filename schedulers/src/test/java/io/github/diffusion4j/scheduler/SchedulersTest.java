package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.noise.NoiseSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names, configuration files, and what they mean. */
class SchedulersTest {

  private static final SampleShape SHAPE = new SampleShape(1, 4);
  private static final NoiseSource SILENCE = dst -> {};

  @ParameterizedTest
  @CsvSource({
    "ddim, DDIMScheduler",
    "DDIM, DDIMScheduler",
    "DDIMScheduler, DDIMScheduler",
    "PLMS, PNDMScheduler",
    "Euler a, EulerAncestralDiscreteScheduler",
    "euler-a, EulerAncestralDiscreteScheduler",
    "EulerDiscrete, EulerDiscreteScheduler",
    "DPM2 a Karras, KDPM2AncestralDiscreteScheduler",
    "dpmpp_2m, DPMSolverMultistepScheduler",
    "DPM++ 2M, DPMSolverMultistepScheduler",
    "dpm++2m-karras, DPMSolverMultistepScheduler",
    "DPM++ 2M SDE Karras, DPMSolverMultistepScheduler",
    "DPM++ 3M SDE Exponential, DPMSolverMultistepScheduler",
    "DPM++ SDE Karras, DPMSolverSDEScheduler",
    "UniPC, UniPCMultistepScheduler",
    "lcm, LCMScheduler",
    "Heun Align Your Steps, HeunDiscreteScheduler",
    "euler-sgm-uniform, EulerDiscreteScheduler",
    "LMS Karras, LMSDiscreteScheduler"
  })
  void knowsNames(String name, String className) {
    assertEquals(className, Schedulers.named(name).toConfig().get("_class_name"));
  }

  @Test
  void namesImplyOptions() {
    DpmSolverMultistepScheduler scheduler =
        assertInstanceOf(
            DpmSolverMultistepScheduler.class, Schedulers.named("DPM++ 3M SDE Karras"));
    assertEquals(SigmaSpacing.KARRAS, scheduler.config().sigmas());
    assertEquals(DpmAlgorithm.SDE_DPM_SOLVER_PP, scheduler.method().algorithm());
    assertEquals(3, scheduler.method().order());
    assertEquals(Betas.STABLE_DIFFUSION, scheduler.config().betas());
  }

  @ParameterizedTest
  @ValueSource(strings = {"eular", "", "karras", "dpm++2m-carras"})
  void unknownNamesAreErrorsThatListTheKnown(String name) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.named(name)).getMessage();
    assertTrue(message.contains("euler-a") && message.contains("karras"), message);
    assertTrue(message.endsWith("got " + name), message);
  }

  @Test
  void aSpacingThatTheSolverCannotTakeIsAnError() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.named("ddim-karras"))
            .getMessage();
    assertTrue(message.contains("use_karras_sigmas"), message);
  }

  @TestFactory
  Stream<DynamicTest> configurationsComeBackTheSame() {
    Map<String, Scheduler> all = new LinkedHashMap<>(Schedulers.all());
    Schedulers.names().forEach(name -> all.put(name, Schedulers.named(name)));
    for (SigmaSpacing spacing : SigmaSpacing.values()) {
      if (spacing != SigmaSpacing.TRAINED && spacing != SigmaSpacing.LU) {
        String name = "euler-" + spacing.configName();
        all.put(name, Schedulers.named(name));
      }
    }
    return all.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      String json = Schedulers.toJson(entry.getValue());
                      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
                      Scheduler back = Schedulers.fromConfig(new ByteArrayInputStream(bytes));
                      assertEquals(entry.getValue(), back);
                      assertEquals(Set.of(), Schedulers.unknownKeys(entry.getValue().toConfig()));
                    }));
  }

  @Test
  void unknownClassIsAnErrorThatListsTheKnown() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Schedulers.fromConfig(Map.of("_class_name", "MagicScheduler")))
            .getMessage();
    assertTrue(message.contains("MagicScheduler") && message.contains("DDIMScheduler"), message);
    assertThrows(IllegalArgumentException.class, () -> Schedulers.fromConfig(Map.of("a", 1)));
  }

  @Test
  void parallelVariantsStepAsTheirModels() {
    assertInstanceOf(
        DdimScheduler.class, Schedulers.fromConfig(Map.of("_class_name", "DDIMParallelScheduler")));
  }

  @Test
  void unknownValueIsAnErrorThatNamesKeyValueAndAllowed() {
    Map<String, Object> config =
        Map.of("_class_name", "DDIMScheduler", "timestep_spacing", "middle");
    String message =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.fromConfig(config))
            .getMessage();
    assertEquals(
        "timestep_spacing of DDIMScheduler must be one of linspace, leading, trailing, got middle",
        message);
  }

  @ParameterizedTest
  @CsvSource({
    "num_train_timesteps, 0",
    "num_train_timesteps, 10.5",
    "num_train_timesteps, many",
    "beta_start, -1",
    "beta_end, wide",
    "clip_sample, 3",
    "clip_sample_range, 0",
    "steps_offset, -1",
    "trained_betas, 0.1",
    "dynamic_thresholding_ratio, 1.5"
  })
  void impossibleValuesAreErrorsThatNameTheKey(String key, String value) throws IOException {
    String json =
        "{\"_class_name\": \"DDIMScheduler\", \"%s\": %s}"
            .formatted(key, value.matches("[-.0-9]+") ? value : '"' + value + '"');
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Schedulers.fromConfig(new ByteArrayInputStream(bytes)))
            .getMessage();
    assertTrue(message.contains(key) && message.contains(value), message);
  }

  @Test
  void unknownKeysAreIgnoredAndListed() {
    Map<String, Object> config =
        Map.of("_class_name", "DDIMScheduler", "skip_prk_steps", true, "_diffusers_version", "0");
    assertEquals(Set.of("skip_prk_steps"), Schedulers.unknownKeys(config));
  }

  @Test
  void readsTheLiteralInfinityAndNull() throws IOException {
    String json =
        "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity,"
            + " \"trained_betas\": null, \"use_karras_sigmas\": null}";
    Scheduler scheduler =
        Schedulers.fromConfig(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
    assertEquals(Schedulers.all().get("DPMSolverMultistepScheduler"), scheduler);
  }

  @Test
  void aFileThatIsNoJsonIsAnErrorThatNamesIt(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("scheduler_config.json"), "{ no");
    String message =
        assertThrows(IOException.class, () -> Schedulers.fromConfig(file)).getMessage();
    assertTrue(message.contains(file.toString()), message);
    Files.writeString(file, "{\"_class_name\": \"DDIMScheduler\", \"beta_schedule\": \"x\"}");
    String wrong =
        assertThrows(IllegalArgumentException.class, () -> Schedulers.fromConfig(file))
            .getMessage();
    assertTrue(wrong.contains(file.toString()) && wrong.contains("beta_schedule"), wrong);
  }

  @Test
  void defaultsThatTheFileMarksGiveWayToTheOtherClass() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("_class_name", "PNDMScheduler");
    config.put("beta_schedule", "scaled_linear");
    config.put("timestep_spacing", "leading");
    config.put("_use_default_values", List.of("timestep_spacing"));
    EulerScheduler scheduler =
        assertInstanceOf(EulerScheduler.class, Schedulers.fromConfig(config, "euler"));
    assertEquals(TimestepSpacing.LINSPACE, scheduler.spacing().kind());
    assertEquals(BetaSchedule.SCALED_LINEAR, scheduler.betas().schedule());
  }

  @ParameterizedTest
  @EnumSource(SigmaSpacing.class)
  void everySpacingGivesFallingSigmas(SigmaSpacing spacing) {
    for (String solver : new String[] {"euler", "heun", "dpm++2m", "unipc"}) {
      Map<String, Object> config = new LinkedHashMap<>(Schedulers.named(solver).toConfig());
      config.put("sigma_spacing", spacing.configName());
      for (int steps : new int[] {1, 2, 7, 10, 20, 25}) {
        double[] sigmas =
            Schedulers.fromConfig(config).start(StepPlan.steps(steps), SHAPE, SILENCE).sigmas();
        for (int i = 1; i < sigmas.length; i++) {
          assertTrue(sigmas[i] <= sigmas[i - 1], spacing + " " + Arrays.toString(sigmas));
        }
        assertEquals(0, sigmas[sigmas.length - 1]);
      }
    }
  }

  @Test
  void alignYourStepsIsThePublishedTable() {
    double[] sigmas =
        Schedulers.named("euler-ays_sd1").start(StepPlan.steps(11), SHAPE, SILENCE).sigmas();
    double[] published = {
      14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029, 0
    };
    for (int i = 0; i < published.length; i++) {
      assertEquals(published[i], sigmas[i], 1e-5);
    }
  }

  @Test
  void stepOptionsOfOtherSolversAreIgnoredAndUnknownOnesAreErrors() {
    Scheduler ddim = Schedulers.named("ddim");
    assertEquals(ddim, ddim.with(Map.of("s_churn", 3)));
    assertEquals(0.5, ((DdimScheduler) ddim.with(Map.of("eta", 0.5))).eta());
    String message =
        assertThrows(IllegalArgumentException.class, () -> ddim.with(Map.of("etta", 1)))
            .getMessage();
    assertTrue(message.contains("eta") && message.endsWith("got etta"), message);
    assertThrows(IllegalArgumentException.class, () -> ddim.with(Map.of("eta", -1)));
    Scheduler heun = Schedulers.named("heun");
    assertThrows(IllegalArgumentException.class, () -> heun.with(Map.of("etta", 1)));
  }

  @Test
  void aUsersOwnSchedulerHasNoConfiguration() {
    Scheduler own = (plan, shape, noise) -> Schedulers.named("ddim").start(plan, shape, noise);
    assertEquals(Map.of(), own.toConfig());
    assertThrows(IllegalArgumentException.class, () -> Schedulers.toConfig(own));
    assertEquals(own, own.with(Map.of("eta", 1)));
  }

  @Test
  void gitsLevelsFallForEveryNumberOfSteps() {
    for (int steps = 1; steps <= 40; steps++) {
      double[] sigmas =
          Schedulers.named("euler-gits").start(StepPlan.steps(steps), SHAPE, SILENCE).sigmas();
      assertEquals(steps + 1, sigmas.length);
      assertEquals(14.61464119, sigmas[0], 1e-5);
      for (int i = 0; i < steps; i++) {
        assertTrue(sigmas[i] > sigmas[i + 1], steps + " steps, level " + i);
      }
    }
    double[] ten =
        Schedulers.named("euler-gits").start(StepPlan.steps(10), SHAPE, SILENCE).sigmas();
    assertEquals(0.74807048, ten[5], 1e-5);
  }
}
