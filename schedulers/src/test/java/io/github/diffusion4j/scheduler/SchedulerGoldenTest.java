package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.golden.Safetensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every solver computes what the reference computes: schedules, steps and whole loops. */
class SchedulerGoldenTest {

  private final Goldens goldens = Goldens.of("schedulers");

  private Stream<GoldenCase> cases() throws IOException {
    return StreamSupport.stream(goldens.json("cases.json").spliterator(), false)
        .map(entry -> new GoldenCase(entry, goldens));
  }

  @TestFactory
  Stream<DynamicTest> schedule() throws IOException {
    return cases().map(golden -> golden.test(() -> schedule(golden)));
  }

  @TestFactory
  Stream<DynamicTest> eachStep() throws IOException {
    return cases()
        .filter(golden -> !golden.at("model").asText().equals("none"))
        .map(golden -> golden.test(() -> loop(golden, true)));
  }

  @TestFactory
  Stream<DynamicTest> wholeLoop() throws IOException {
    return cases()
        .filter(golden -> !golden.at("model").asText().equals("none"))
        .map(golden -> golden.test(() -> loop(golden, false)));
  }

  @TestFactory
  Stream<DynamicTest> configuration() throws IOException {
    return cases().map(golden -> golden.test(() -> configuration(golden)));
  }

  private static void schedule(GoldenCase golden) throws IOException {
    Scheduler scheduler = golden.scheduler();
    SchedulerRun run = scheduler.start(golden.plan(), golden.shape(), dst -> {});
    assertClose("timesteps", golden.at("timesteps"), run.timesteps());
    if (!golden.at("timesteps_dtype").asText().startsWith("float")) {
      double[] expected = GoldenCase.toArray(golden.at("timesteps"));
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], run.timesteps()[i], 0, "timestep " + i);
      }
    }
    if (golden.at("sigmas").isArray()) {
      assertClose("sigmas", golden.at("sigmas"), run.sigmas());
    }
    GridRun gridRun = (GridRun) run;
    for (String extra : List.of("sigmas_interpol", "sigmas_up", "sigmas_down", "alphas", "betas")) {
      if (golden.at(extra).isArray()) {
        double[] actual = gridRun.grid().extras().get(extra);
        assertTrue(actual != null, "no " + extra);
        assertClose(extra, golden.at(extra), actual);
      }
    }
    assertEquals(golden.steps(), run.evaluations(), "evaluations");
    assertEquals(golden.at("order").asInt(), gridRun.grid().order(), "order");
    double sigma = golden.at("init_noise_sigma").asDouble(1);
    assertEquals(sigma, run.initNoiseSigma(), 1e-6 * sigma, "init_noise_sigma");
    if (golden.at("alphas_cumprod").isObject()) {
      alphaBars(golden.at("alphas_cumprod"), ((TrainedScheduler) scheduler).noiseSchedule());
    }
    if (run.evaluations() > 0) {
      double first = golden.at("timesteps").path(golden.at("first_step").asInt()).asDouble();
      assertEquals(first, run.timestep(), 1e-6 * Math.abs(first) + 1e-6, "first timestep");
    }
  }

  private static void alphaBars(JsonNode expected, NoiseSchedule table) {
    int count = table.trainSteps();
    assertEquals(expected.path("count").asInt(), count, "alphas_cumprod");
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += table.alphaBar(i);
    }
    assertEquals(expected.path("sum").asDouble(), sum, 1e-6 * sum, "sum of alphas_cumprod");
    for (int i = 0; i < expected.path("head").size(); i++) {
      double head = expected.path("head").path(i).asDouble();
      assertEquals(head, table.alphaBar(i), 1e-6 * head, "alphas_cumprod " + i);
      double tail = expected.path("tail").path(i).asDouble();
      int at = count - expected.path("tail").size() + i;
      assertEquals(tail, table.alphaBar(at), 1e-6 * tail, "alphas_cumprod " + at);
    }
  }

  private static void assertClose(String what, JsonNode list, double[] actual) {
    double[] expected = GoldenCase.toArray(list);
    assertEquals(expected.length, actual.length, "number of " + what);
    double largest = Arrays.stream(expected).map(Math::abs).filter(v -> v == v).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      if (Double.isNaN(expected[i])) {
        assertTrue(!Double.isFinite(actual[i]), what + " " + i + ": " + actual[i]);
        continue;
      }
      double limit = Math.max(1e-6 * Math.abs(expected[i]), floor(what, expected[i], largest));
      assertEquals(expected[i], actual[i], limit, what + " " + i);
    }
  }

  /**
   * What is small by a subtraction near 1, or by a logarithm near 0, is known only to the rounding
   * of what it comes from: two units in the last place of 1.
   */
  private static double floor(String what, double expected, double largest) {
    return switch (what) {
      case "alphas" -> 2 * Math.ulp(1f) / Math.abs(expected);
      case "timesteps" -> Math.min(largest, 1) * 1e-6;
      default -> 1e-9 * largest;
    };
  }

  /** Runs the loop, on the recorded samples of each step or carrying its own results on. */
  private static void loop(GoldenCase golden, boolean forced) throws IOException {
    Safetensors tensors = golden.tensors();
    SchedulerRun run =
        golden.scheduler().start(golden.plan(), golden.shape(), golden.noise(tensors));
    float[] x = firstSample(golden, run, tensors);
    double largest = greatest(golden, tensors);
    double limit = golden.at("tolerance").path(forced ? "forced" : "chained").asDouble();
    assertNear("sample", tensors.floats("sample"), x, limit * largest);
    float[] input = new float[x.length];
    for (int i = 0; i < golden.steps(); i++) {
      boolean recorded = golden.isRecorded(i);
      if (forced && recorded && (i == 0 || golden.isRecorded(i - 1))) {
        x = i == 0 ? tensors.floats("sample") : tensors.floats("prev_sample." + (i - 1));
      }
      run.scaleInput(x, input);
      if (recorded && tensors.has("scaled_input." + i)) {
        double bound = limit * (forced ? size(tensors.floats("scaled_input." + i)) : largest);
        assertNear("scaled input " + i, tensors.floats("scaled_input." + i), input, bound);
      }
      checkLevels(golden, (GridRun) run, i);
      float[] output = output(golden, (GridRun) run, tensors, i, input);
      double before = size(x);
      run.step(output, x);
      if (recorded) {
        float[] expected = tensors.floats("prev_sample." + i);
        double bound = limit * (forced ? Math.max(before, size(expected)) : largest);
        assertNear("sample after step " + i, expected, x, bound);
        second(run, tensors, i, limit, forced ? Math.max(before, size(expected)) : largest);
      }
    }
    assertEquals(run.evaluations(), run.index(), "steps taken");
  }

  private static float[] firstSample(GoldenCase golden, SchedulerRun run, Safetensors tensors) {
    float[] x = tensors.floats("sample");
    float[] noise = tensors.has("init_noise") ? tensors.floats("init_noise") : null;
    if (noise == null || golden.at("class").asText().contains("Inverse")) {
      return x;
    }
    if (tensors.has("original")) {
      run.addNoise(tensors.floats("original"), noise, x);
    } else if (!golden.startsInTheMiddle()) {
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) (noise[i] * run.initNoiseSigma());
      }
    }
    return x;
  }

  private static void checkLevels(GoldenCase golden, GridRun run, int i) {
    if (golden.at("model_alpha").isArray()) {
      double a = golden.at("model_alpha").path(i).asDouble();
      double b = golden.at("model_sigma").path(i).asDouble();
      assertEquals(a, GaussianModel.signal(run), 2e-6 * Math.max(a, 1e-3), "model_alpha " + i);
      assertEquals(b, GaussianModel.noise(run), 2e-6 * Math.max(b, 1e-3), "model_sigma " + i);
    }
  }

  private static float[] output(
      GoldenCase golden, GridRun run, Safetensors tensors, int i, float[] input) {
    if (tensors.has("model_output." + i)) {
      return tensors.floats("model_output." + i);
    }
    float[] output = new float[input.length];
    new GaussianModel(golden)
        .answer(GaussianModel.signal(run), GaussianModel.noise(run), input, output);
    return output;
  }

  private static void second(
      SchedulerRun run, Safetensors tensors, int i, double limit, double largest) {
    for (String name : List.of("pred_original_sample.", "denoised.")) {
      if (tensors.has(name + i)) {
        float[] expected = tensors.floats(name + i);
        float[] actual = new float[expected.length];
        run.denoised(actual);
        double bound = limit * Math.max(largest, size(expected));
        assertNear(name + i, expected, actual, bound);
      }
    }
  }

  private static double greatest(GoldenCase golden, Safetensors tensors) {
    double largest = size(tensors.floats("sample"));
    for (int i = 0; i < golden.steps(); i++) {
      if (golden.isRecorded(i)) {
        largest = Math.max(largest, size(tensors.floats("prev_sample." + i)));
      }
    }
    return largest;
  }

  private static double size(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static void assertNear(String what, float[] expected, float[] actual, double limit) {
    assertEquals(expected.length, actual.length, "length of " + what);
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      assertEquals(expected[i], actual[i], limit, () -> what + " at " + at);
    }
  }

  /** What we would write is what the reference writes. */
  private static void configuration(GoldenCase golden) throws IOException {
    Map<String, Object> actual = golden.scheduler().toConfig();
    JsonNode expected =
        golden.at("full_config").isObject() ? golden.at("full_config") : golden.at("config");
    List<String> wrong = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : expected.properties()) {
      if (!field.getKey().startsWith("_") && actual.containsKey(field.getKey())) {
        Object value = actual.get(field.getKey());
        if (!isSame(field.getValue(), value)) {
          wrong.add(field.getKey() + ": " + field.getValue() + " but " + value);
        }
      }
    }
    assertEquals(List.of(), wrong);
    for (String key : actual.keySet()) {
      assertTrue(
          expected.has(key) || key.equals("lambda_min_clipped") || key.equals("_class_name"), key);
    }
    assertEquals(golden.at("class").asText(), actual.get("_class_name"));
  }

  private static boolean isSame(JsonNode expected, Object actual) {
    if (actual == null || expected.isNull()) {
      return expected.isNull() && actual == null;
    }
    if (actual instanceof Number number) {
      return expected.asDouble() == number.doubleValue();
    }
    if (actual instanceof List<?> list && !list.isEmpty() && list.get(0) instanceof Double) {
      double[] values = GoldenCase.toArray(expected);
      return list.equals(Arrays.stream(values).boxed().toList());
    }
    return expected.asText().equals(actual.toString())
        || expected.toString().equals(actual.toString().replace(" ", ""));
  }
}
