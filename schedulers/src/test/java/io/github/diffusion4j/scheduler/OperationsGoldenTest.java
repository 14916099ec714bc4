package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.golden.Safetensors;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Noising, velocity, the shift of flow matching, and what the reference refuses. */
class OperationsGoldenTest {

  private final Goldens goldens = Goldens.of("schedulers");

  private Stream<JsonNode> entries(String file) throws IOException {
    return StreamSupport.stream(goldens.json(file).spliterator(), false);
  }

  @TestFactory
  Stream<DynamicTest> operations() throws IOException {
    Safetensors tensors = goldens.tensors("ops.safetensors");
    return entries("ops.json")
        .map(
            entry ->
                DynamicTest.dynamicTest(entry.path("name").asText(), () -> check(entry, tensors)));
  }

  private static void check(JsonNode entry, Safetensors tensors) {
    String name = entry.path("name").asText();
    Scheduler scheduler =
        Schedulers.fromConfig(GoldenCase.toMap(entry.path("config")), entry.path("class").asText());
    StepPlan plan = StepPlan.of(GoldenCase.toMap(entry.path("set_timesteps")));
    double[] timesteps = GoldenCase.toArray(entry.path("timesteps"));
    float[] original = tensors.floats(name + ".original");
    float[] noise = tensors.floats(name + ".noise");
    float[] expected = tensors.floats(name + ".result");
    int size = original.length / timesteps.length;
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < timesteps.length; i++) {
      float[] clean = Arrays.copyOfRange(original, i * size, (i + 1) * size);
      float[] own = Arrays.copyOfRange(noise, i * size, (i + 1) * size);
      float[] actual = new float[size];
      if (entry.path("op").asText().equals("get_velocity")) {
        NoiseSchedule table = ((TrainedScheduler) scheduler).noiseSchedule();
        table.velocity(clean, own, (int) timesteps[i], actual);
      } else {
        addNoise(scheduler, plan, timesteps[i], new float[][] {clean, own, actual});
      }
      for (int k = 0; k < size; k++) {
        assertEquals(expected[i * size + k], actual[k], 1e-6 * largest, name + " " + i + " " + k);
      }
    }
  }

  private static void addNoise(
      Scheduler scheduler, StepPlan plan, double timestep, float[][] cleanNoiseResult) {
    SampleShape shape = new SampleShape(1, cleanNoiseResult[0].length);
    GridRun whole = (GridRun) scheduler.start(plan, shape, dst -> {});
    if (whole instanceof TimestepRun || whole instanceof SaSolverRun) {
      ((TrainedScheduler) scheduler)
          .noiseSchedule()
          .addNoise(cleanNoiseResult[0], cleanNoiseResult[1], (int) timestep, cleanNoiseResult[2]);
      return;
    }
    int place = whole.grid().placeOf(timestep);
    for (int i = 0; place < 0 && i < whole.timesteps().length; i++) {
      boolean near = Math.abs(whole.timesteps()[i] - timestep) <= 1e-6 * Math.abs(timestep);
      place = near ? i : place;
    }
    SchedulerRun run = scheduler.start(plan.withFirstStep(place), shape, dst -> {});
    run.addNoise(cleanNoiseResult[0], cleanNoiseResult[1], cleanNoiseResult[2]);
  }

  @TestFactory
  Stream<DynamicTest> shifts() throws IOException {
    return entries("mu.json")
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.toString(),
                    () -> {
                      DynamicShift shift =
                          new DynamicShift(
                              entry.path("base_image_seq_len").asInt(),
                              entry.path("max_image_seq_len").asInt(),
                              entry.path("base_shift").asDouble(),
                              entry.path("max_shift").asDouble());
                      double mu = shift.mu(entry.path("image_seq_len").asInt());
                      assertEquals(entry.path("mu").asDouble(), mu, 1e-12);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> errors() throws IOException {
    return entries("errors.json")
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    "%s %s %s %s"
                        .formatted(
                            entry.path("class").asText(),
                            entry.path("call").asText(),
                            entry.path("config"),
                            entry.path("args")),
                    () -> refuses(entry)));
  }

  private static void refuses(JsonNode entry) {
    switch (entry.path("call").asText()) {
      case "step_before_set_timesteps" -> {
        // A run is made by a plan, so there is nothing to step without one.
        Scheduler scheduler = scheduler(entry);
        SampleShape shape = new SampleShape(1, 4);
        assertThrows(NullPointerException.class, () -> scheduler.start(null, shape, dst -> {}));
      }
      case "step_with_integer_timestep" -> {
        // A run knows its place, so no timestep can be given, neither right nor wrong.
        long stepMethods =
            Arrays.stream(SchedulerRun.class.getMethods())
                .filter(method -> method.getName().equals("step"))
                .peek(
                    method ->
                        assertArrayEquals(
                            new Class<?>[] {float[].class, float[].class},
                            method.getParameterTypes()))
                .count();
        assertEquals(1, stepMethods);
      }
      case "init", "set_timesteps", "retrieve_timesteps", "step" -> {
        Exception refusal = assertThrows(IllegalArgumentException.class, () -> startAndStep(entry));
        checkMessage(entry, refusal.getMessage());
      }
      default -> throw new AssertionError("no such call: " + entry);
    }
  }

  /** An error says which option has which value, or which number is out of range. */
  private static void checkMessage(JsonNode entry, String message) {
    for (Map.Entry<String, JsonNode> option : entry.path("config").properties()) {
      if (option.getValue().isTextual()) {
        boolean named =
            message.contains(option.getKey()) && message.contains(option.getValue().asText());
        boolean other = entry.path("config").size() > 1;
        assertTrue(named || other, message);
      }
    }
    if (entry.path("config").isEmpty() && entry.path("args").isEmpty()) {
      int steps = entry.path("num_inference_steps").asInt();
      assertTrue(steps == 0 || message.contains("" + steps), message);
    }
    assertTrue(message.contains("got") || message.contains("must"), message);
  }

  private static Scheduler scheduler(JsonNode entry) {
    return Schedulers.fromConfig(
        GoldenCase.toMap(entry.path("config")), entry.path("class").asText());
  }

  private static void startAndStep(JsonNode entry) {
    Scheduler scheduler = scheduler(entry);
    Map<String, Object> arguments = GoldenCase.toMap(entry.path("args"));
    Map<String, Object> options = GoldenCase.toMap(entry.path("args"));
    arguments.keySet().retainAll(StepPlan.ARGUMENTS);
    options.keySet().removeAll(StepPlan.ARGUMENTS);
    if (entry.hasNonNull("num_inference_steps")) {
      arguments.put("num_inference_steps", entry.path("num_inference_steps").asInt());
    }
    boolean planned = !entry.path("call").asText().equals("init");
    StepPlan plan = planned ? StepPlan.of(arguments) : StepPlan.steps(10);
    scheduler.with(options).start(plan, new SampleShape(1, 4), dst -> {});
  }
}
