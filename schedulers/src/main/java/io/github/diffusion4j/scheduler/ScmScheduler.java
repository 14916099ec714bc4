package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Multistep sampling of continuous-time consistency models in TrigFlow (Lu and Song 2024), x =
 * cos(t) data + sin(t) noise: each evaluation jumps to the data, each step noises it again.
 *
 * @param trainSteps the greatest number of steps, at least 1
 * @param data standard deviation of the data, above 0
 * @param maxTimestep where the schedule starts, above 0; π/2 is pure noise
 * @param intermediateTimestep the second timestep of a schedule of two steps; empty: even spacing
 */
public record ScmScheduler(
    int trainSteps, double data, double maxTimestep, OptionalDouble intermediateTimestep)
    implements Scheduler {

  static final String CLASS_NAME = "SCMScheduler";

  public ScmScheduler {
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    Check.positive("sigma_data", data);
    Check.positive("max_timesteps", maxTimestep);
    intermediateTimestep.ifPresent(t -> Check.positive("intermediate_timesteps", t));
  }

  static ScmScheduler read(ConfigReader in) {
    in.choice("prediction_type", Prediction.TRIGFLOW, Prediction.TRIGFLOW);
    return new ScmScheduler(
        in.integer("num_train_timesteps", 1000),
        in.real("sigma_data", 0.5),
        1.5708,
        OptionalDouble.of(1.3));
  }

  @Override
  public Map<String, Object> toConfig() {
    return new ConfigWriter(CLASS_NAME)
        .put("num_train_timesteps", trainSteps)
        .put("prediction_type", Prediction.TRIGFLOW)
        .put("sigma_data", data)
        .toMap();
  }

  @Override
  public ScmScheduler with(Map<String, ?> stepOptions) {
    ConfigReader in = StepOptions.read(stepOptions);
    return new ScmScheduler(
        trainSteps,
        data,
        in.real("max_timesteps", maxTimestep),
        stepOptions.containsKey("intermediate_timesteps")
            ? in.optional("intermediate_timesteps")
            : intermediateTimestep);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    double[] timesteps = Grid.toSingle(timesteps(plan));
    Grid grid = Grid.of(timesteps).evaluations(timesteps.length - 1).steps(timesteps.length - 1);
    return new Run(this, grid, input);
  }

  private double[] timesteps(StepPlan plan) {
    if (plan instanceof StepPlan.Timesteps custom) {
      List<Double> all = custom.timesteps();
      Check.atLeast("number of timesteps", all.size(), 2);
      return Grid.toArray(all);
    }
    int steps = Plans.count(plan, CLASS_NAME, trainSteps);
    if (intermediateTimestep.isPresent()) {
      if (steps != 2) {
        throw new IllegalArgumentException(
            "steps must be 2 where intermediate_timesteps is given (set it to null for others), got "
                + steps);
      }
      return new double[] {maxTimestep, intermediateTimestep.getAsDouble(), 0};
    }
    float[] even = new float[steps + 1];
    Betas.linspace((float) maxTimestep, 0, even);
    double[] timesteps = new double[even.length];
    for (int i = 0; i < even.length; i++) {
      timesteps[i] = even[i];
    }
    return timesteps;
  }

  static final class Run extends GridRun {

    private final double deviation;
    private final Update[] updates;

    Run(ScmScheduler recipe, Grid grid, RunInput input) {
      super(grid, recipe.trainSteps, SampleClamp.NONE, input);
      deviation = recipe.data;
      drawsNoise();
      updates = new Update[grid.evaluations()];
      for (int place = 0; place < updates.length; place++) {
        double time = timestepAt(place);
        LinearForm data = Prediction.TRIGFLOW.data(Math.cos(time), Math.sin(time));
        updates[place] = new Update(data, 0, Math.cos(timestepAt(place + 1)), 0);
      }
    }

    @Override
    double signal() {
      return Math.cos(timestepAt(place()));
    }

    @Override
    double noiseLevel() {
      return deviation * Math.sin(timestepAt(place()));
    }

    @Override
    void advance(float[] m, float[] x) {
      double next = deviation * Math.sin(timestepAt(place() + 1));
      step(updates[place()], sum().plus(next, draw()), m, x);
    }
  }
}
