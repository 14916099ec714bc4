package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Arrays;
import java.util.Map;

/**
 * DPM-Solver-2 to a level below the next one, then noise up to it (from k-diffusion): two
 * evaluations and one draw of noise a step, one evaluation in the last.
 *
 * @param config the model and its schedule; noise or velocity is predicted
 */
public record Kdpm2AncestralScheduler(SigmaConfig config) implements TrainedScheduler {

  static final String CLASS_NAME = "KDPM2AncestralDiscreteScheduler";

  public Kdpm2AncestralScheduler {
    requireNonNull(config, "config");
  }

  static Kdpm2AncestralScheduler read(ConfigReader in) {
    return new Kdpm2AncestralScheduler(Kdpm2Scheduler.readConfig(in));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    int steps = Plans.count(plan, CLASS_NAME);
    NoiseSchedule table = noiseSchedule();
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, table);
    double[] levels = spaced.endingAt(0);
    double[] ups = new double[steps + 1];
    double[] downs = new double[steps + 1];
    double[] middles = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      ups[i] = Ancestral.upInSingle((float) levels[i], (float) levels[i + 1]);
      downs[i] = Ancestral.downInSingle((float) levels[i + 1], (float) ups[i]);
      middles[i] = i < steps - 1 ? Kdpm2Scheduler.middle(levels[i], downs[i]) : 0;
    }
    ups[steps] = Double.NaN;
    Grid grid =
        new Grid(
                Kdpm2Scheduler.timesteps(spaced, config.sigmas(), table, middles),
                Kdpm2Scheduler.doubled(levels))
            .order(2)
            .steps(steps)
            .extras(
                Map.of(
                    "sigmas_interpol", Kdpm2Scheduler.doubled(middles),
                    "sigmas_up", Kdpm2Scheduler.doubled(ups),
                    "sigmas_down", Kdpm2Scheduler.doubled(downs)));
    double[] starts = Arrays.copyOf(levels, steps);
    return new MidpointRun(
        config, grid, input, new MidpointRun.Levels(starts, middles, downs, ups), true);
  }
}
