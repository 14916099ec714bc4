package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Heun's method for flow matching models: two evaluations a step, one in the last.
 *
 * @param config the schedule, of which only the training steps and the shift are used
 * @param churn noise put back before each step
 */
public record FlowMatchHeunScheduler(FlowConfig config, Churn churn) implements Scheduler {

  static final String CLASS_NAME = "FlowMatchHeunDiscreteScheduler";

  public FlowMatchHeunScheduler {
    requireNonNull(config, "config");
    requireNonNull(churn, "churn");
  }

  static FlowMatchHeunScheduler read(ConfigReader in) {
    return new FlowMatchHeunScheduler(FlowConfig.readSimple(in), Churn.NONE);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.writeSimple(out);
    return out.toMap();
  }

  @Override
  public FlowMatchHeunScheduler with(Map<String, ?> stepOptions) {
    return new FlowMatchHeunScheduler(config, churn.with(StepOptions.read(stepOptions)));
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    int steps = Plans.count(plan, CLASS_NAME);
    Grid single = config.grid(plan);
    Grid grid =
        new Grid(
                TwoStage.repeatAfterFirst(single.timesteps()),
                TwoStage.repeatBetween(single.sigmas()))
            .order(2)
            .steps(steps)
            .flow();
    return new Run(grid, config.trainSteps(), churn, input);
  }

  private static final class Run extends FlowRun {

    private final Churn churn;
    private final float[] slope = newSample();
    private final float[] before = newSample();
    private double length;
    private boolean second;

    Run(Grid grid, int trainSteps, Churn churn, RunInput input) {
      super(grid, trainSteps, input);
      this.churn = churn;
      if (churn.churn() > 0) {
        drawsNoise();
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      int start = second ? place() - 1 : place();
      double sigma = sigma(start);
      double raised = churn.raised(sigma, grid().sigmas().length - 1);
      sum().plus(1, x).plus(-sigma(place()), m).into(denoised());
      if (second) {
        if (raised > sigma) {
          draw(); // as the reference does, only to go on from the sample before it
        }
        sum().plus(1, before).plus(length / 2, slope).plus(length / 2, m).into(x);
      } else {
        if (raised > sigma) {
          sum().plus(1, x).plus(churn.deviation(sigma, raised), draw()).into(x);
        }
        System.arraycopy(x, 0, before, 0, x.length);
        sum().plus(sigma / raised, m).into(slope);
        length = sigma(start + 1) - raised;
        sum().plus(1, x).plus(length, slope).into(x);
      }
      second = !second;
    }
  }
}
