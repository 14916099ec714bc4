package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Arrays;
import java.util.Map;

/**
 * DPM-Solver-2 on sigmas (Karras et al. 2022, algorithm 2 with a midpoint; from k-diffusion): two
 * evaluations a step, one in the last.
 *
 * @param config the model and its schedule; noise or velocity is predicted
 */
public record Kdpm2Scheduler(SigmaConfig config) implements TrainedScheduler {

  static final String CLASS_NAME = "KDPM2DiscreteScheduler";

  public Kdpm2Scheduler {
    requireNonNull(config, "config");
  }

  static Kdpm2Scheduler read(ConfigReader in) {
    return new Kdpm2Scheduler(readConfig(in));
  }

  static SigmaConfig readConfig(ConfigReader in) {
    Betas betas = Betas.read(in, Betas.LINEAR_SD);
    return SigmaConfig.read(in, betas, Prediction.EPSILON, Prediction.V);
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
    double[] interpolated = new double[steps + 1];
    interpolated[0] = Double.NaN;
    for (int i = 1; i <= steps; i++) {
      interpolated[i] = middle(levels[i], levels[i - 1]);
    }
    double[] middles = Arrays.copyOfRange(interpolated, 1, steps + 1);
    Grid grid =
        new Grid(timesteps(spaced, config.sigmas(), table, middles), doubled(levels))
            .order(2)
            .steps(steps)
            .extras(Map.of("sigmas_interpol", doubled(interpolated)));
    double[] starts = Arrays.copyOf(levels, steps);
    double[] ends = Arrays.copyOfRange(levels, 1, steps + 1);
    return new MidpointRun(
        config,
        grid,
        input,
        new MidpointRun.Levels(starts, middles, ends, new double[steps]),
        false);
  }

  /** The geometric mean, in single precision. */
  static double middle(double a, double b) {
    float logs = (float) Math.log(a) * 0.5f + (float) Math.log(b) * 0.5f;
    return (float) Math.exp(logs);
  }

  /** a, b, b, c, c, ..., z, z, z: what the reference makes of a list for each step. */
  static double[] doubled(double[] values) {
    double[] result = new double[2 * values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = values[Math.min((i + 1) / 2, values.length - 1)];
    }
    return result;
  }

  /** Timesteps of the steps, whole ones for Karras' spacing, with those of the middles between. */
  static double[] timesteps(
      SigmaGrid spaced, SigmaSpacing spacing, NoiseSchedule table, double[] middles) {
    double[] starts = spaced.timesteps();
    if (spacing == SigmaSpacing.KARRAS) {
      LogSnrConfig.rounded(starts);
    }
    double[] timesteps = new double[2 * starts.length - 1];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = i % 2 == 0 ? starts[i / 2] : table.timestepOf((float) middles[i / 2]);
    }
    return timesteps;
  }
}
