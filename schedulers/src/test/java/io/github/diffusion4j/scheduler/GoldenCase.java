package io.github.diffusion4j.scheduler;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.golden.Safetensors;
import io.github.diffusion4j.noise.NoiseSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** One entry of the goldens' cases.json: how to make its scheduler, plan and noise. */
final class GoldenCase {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final JsonNode entry;
  private final Goldens goldens;

  GoldenCase(JsonNode entry, Goldens goldens) {
    this.entry = entry;
    this.goldens = goldens;
  }

  String name() {
    return entry.path("name").asText();
  }

  /** A test of this name whose failure also says it. */
  DynamicTest test(Executable check) {
    return DynamicTest.dynamicTest(
        name(),
        () -> {
          try {
            check.execute();
          } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(name() + ": " + e, e);
          }
        });
  }

  JsonNode at(String field) {
    return entry.path(field);
  }

  Scheduler scheduler() throws IOException {
    Map<String, Object> config = toMap(entry.path("config"));
    if (entry.hasNonNull("config_file")) {
      try (var in = java.nio.file.Files.newInputStream(configFile())) {
        config = Schedulers.parse(in);
      }
    }
    if (entry.hasNonNull("overrides")) {
      config.putAll(toMap(entry.path("overrides")));
    }
    Scheduler scheduler = Schedulers.fromConfig(config, entry.path("class").asText());
    if (entry.hasNonNull("step_args")) {
      scheduler = scheduler.with(toMap(entry.path("step_args")));
    }
    Map<String, Object> rest = toMap(entry.path("set_timesteps"));
    rest.keySet().removeAll(StepPlan.ARGUMENTS);
    return scheduler.with(rest);
  }

  private java.nio.file.Path configFile() {
    String file = entry.path("config_file").asText();
    return goldens.file(file.startsWith("configs/") ? file : "configs/" + file);
  }

  StepPlan plan() {
    StepPlan plan = StepPlan.of(toMap(entry.path("set_timesteps")));
    JsonNode start = entry.path("start");
    if (!entry.hasNonNull("start")) {
      return plan;
    }
    return switch (start.path("kind").asText()) {
      case "strength", "flow_strength" -> plan.withStrength(start.path("strength").asDouble());
      case "denoising_end" -> plan.withDenoisingEnd(start.path("denoising_end").asDouble());
      case "denoising_start" -> plan.withDenoisingStart(start.path("denoising_start").asDouble());
      case "lookup" -> plan.withFirstStep(start.path("first_step").asInt());
      case "begin" -> plan.withBegin();
      default -> throw new AssertionError("no such start: " + start);
    };
  }

  SampleShape shape() {
    int elements = 1;
    for (int i = 1; i < entry.path("shape").size(); i++) {
      elements *= entry.path("shape").path(i).asInt();
    }
    return new SampleShape(entry.path("shape").path(0).asInt(), elements);
  }

  boolean startsInTheMiddle() {
    return entry.path("first_step").asInt() > 0;
  }

  int steps() {
    return entry.path("num_steps").asInt();
  }

  boolean isRecorded(int step) {
    return entry.path("record").asText().equals("all") || step < 3 || step >= steps() - 3;
  }

  Safetensors tensors() throws IOException {
    return goldens.tensors(entry.path("file").asText());
  }

  /** The recorded draws in order; where a step is not recorded, draws of zeros. */
  NoiseSource noise(Safetensors tensors) {
    List<float[]> draws = new ArrayList<>();
    for (int i = 0; i < steps(); i++) {
      int count = entry.path("noise_draws").path(i).asInt();
      for (int k = 0; k < count; k++) {
        String name = k == 0 ? "noise." + i : "noise." + i + "." + k;
        if (tensors.has(name)) {
          draws.add(tensors.floats(name));
        } else {
          throw new AssertionError(name() + " lacks " + name);
        }
      }
    }
    return NoiseSource.replay(draws);
  }

  static Map<String, Object> toMap(JsonNode node) {
    return node.isMissingNode() || node.isNull()
        ? new LinkedHashMap<>()
        : new LinkedHashMap<>(JSON.convertValue(node, new TypeReference<Map<String, Object>>() {}));
  }

  static double[] toArray(JsonNode list) {
    double[] values = new double[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.path(i).isNull() ? Double.NaN : list.path(i).asDouble();
    }
    return values;
  }
}
