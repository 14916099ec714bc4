package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * DDIM for CogVideoX and CogView models: one evaluation a step.
 *
 * @param config the model and its schedule
 */
public record CogVideoDdimScheduler(CogVideoConfig config) implements TrainedScheduler {

  static final String CLASS_NAME = "CogVideoXDDIMScheduler";

  public CogVideoDdimScheduler {
    requireNonNull(config, "config");
  }

  static CogVideoDdimScheduler read(ConfigReader in) {
    return new CogVideoDdimScheduler(CogVideoConfig.read(in));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return config.noiseSchedule();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(config, config.grid(plan, CLASS_NAME), input);
  }

  private static final class Run extends TimestepRun {

    private final Update[] updates;

    Run(CogVideoConfig config, Grid grid, RunInput input) {
      super(grid, config.noiseSchedule(), SampleClamp.NONE, input);
      updates = new Update[grid.evaluations()];
      for (int place = 0; place < updates.length; place++) {
        double alphaBar = schedule().alphaBar(trainStep(place));
        double next = config.nextAlphaBar(schedule(), trainStep(place), updates.length);
        double alpha = Math.sqrt(alphaBar);
        double ofSample = Math.sqrt((1 - next) / (1 - alphaBar));
        updates[place] =
            new Update(
                config.prediction().data(alpha, Math.sqrt(1 - alphaBar)),
                ofSample,
                Math.sqrt(next) - alpha * ofSample,
                0);
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      step(updates[place()], sum(), m, x);
    }
  }
}
