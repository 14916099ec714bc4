package io.github.diffusion4j.scheduler;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The arguments of the reference's {@code step} and {@code set_timesteps} calls, all solvers'. */
final class StepOptions {

  private static final Set<String> KNOWN =
      new TreeSet<>(
          Set.of(
              "eta",
              "use_clipped_model_output",
              "s_churn",
              "s_tmin",
              "s_tmax",
              "s_noise",
              "order",
              "max_timesteps",
              "intermediate_timesteps"));

  private StepOptions() {}

  static ConfigReader read(Map<String, ?> options) {
    for (String name : options.keySet()) {
      if (!KNOWN.contains(name)) {
        throw new IllegalArgumentException(
            "step option must be one of %s, got %s".formatted(String.join(", ", KNOWN), name));
      }
    }
    return new ConfigReader("step", options);
  }
}
