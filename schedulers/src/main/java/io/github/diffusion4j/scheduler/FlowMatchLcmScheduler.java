package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Multistep sampling of consistency models distilled from flow matching: each evaluation jumps to
 * the data, each step noises it again. Growing the sample between steps ({@code scale_factors}) is
 * not supported.
 *
 * @param config the schedule
 */
public record FlowMatchLcmScheduler(FlowConfig config) implements Scheduler {

  static final String CLASS_NAME = "FlowMatchLCMScheduler";

  public FlowMatchLcmScheduler {
    requireNonNull(config, "config");
  }

  static FlowMatchLcmScheduler read(ConfigReader in) {
    if (!in.reals("scale_factors").isEmpty()) {
      throw in.wrong("scale_factors", in.reals("scale_factors"), "null (not supported)");
    }
    return new FlowMatchLcmScheduler(FlowConfig.read(in));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.putObject("scale_factors", null).toMap();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    return new FlowMatchEulerScheduler(config, true).start(plan, shape, noise);
  }
}
