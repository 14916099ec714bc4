package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Euler's method for flow matching models (Esser et al. 2024): one evaluation a step.
 *
 * @param config the schedule
 * @param stochastic whether each step jumps to the data and noises it again
 */
public record FlowMatchEulerScheduler(FlowConfig config, boolean stochastic) implements Scheduler {

  static final String CLASS_NAME = "FlowMatchEulerDiscreteScheduler";

  public FlowMatchEulerScheduler {
    requireNonNull(config, "config");
  }

  static FlowMatchEulerScheduler read(ConfigReader in) {
    return new FlowMatchEulerScheduler(FlowConfig.read(in), in.flag("stochastic_sampling", false));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.put("stochastic_sampling", stochastic).toMap();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(config.grid(plan), config.trainSteps(), stochastic, input);
  }

  private static final class Run extends FlowRun {

    private final Update[] updates;
    private final boolean stochastic;

    Run(Grid grid, int trainSteps, boolean stochastic, RunInput input) {
      super(grid, trainSteps, input);
      this.stochastic = stochastic;
      if (stochastic) {
        drawsNoise();
      }
      updates = new Update[grid.evaluations()];
      for (int place = 0; place < updates.length; place++) {
        double sigma = sigma(place);
        double next = sigma(place + 1);
        LinearForm data = Prediction.FLOW.data(1 - sigma, sigma);
        updates[place] =
            stochastic ? new Update(data, 0, 1 - next, 0) : new Update(data, 1, 0, next - sigma);
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      Combination others = sum();
      if (stochastic) {
        others.plus(sigma(place() + 1), draw());
      }
      step(updates[place()], others, m, x);
    }
  }
}
