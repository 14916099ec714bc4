package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Multistep sampling of consistency models in sigmas (Song et al. 2023, algorithm 1): each
 * evaluation jumps to the data, each step noises it again.
 *
 * @param trainSteps number of discretisation steps of training, at least 2
 * @param min least sigma, above 0
 * @param max greatest sigma, above 0
 * @param data standard deviation of the data, above 0
 * @param noiseScale factor on the noise, at least 0
 * @param rho exponent of the spacing, above 0
 * @param clips whether each estimate of the data is cut off at -1 and 1
 */
public record ConsistencyScheduler(
    int trainSteps,
    double min,
    double max,
    double data,
    double noiseScale,
    double rho,
    boolean clips)
    implements Scheduler {

  static final String CLASS_NAME = "CMStochasticIterativeScheduler";

  public ConsistencyScheduler {
    Check.atLeast("num_train_timesteps", trainSteps, 2);
    Check.positive("sigma_min", min);
    Check.positive("sigma_max", max);
    Check.positive("sigma_data", data);
    Check.between("s_noise", noiseScale, 0, Double.MAX_VALUE);
    Check.positive("rho", rho);
  }

  static ConsistencyScheduler read(ConfigReader in) {
    return new ConsistencyScheduler(
        in.integer("num_train_timesteps", 40),
        in.real("sigma_min", 0.002),
        in.real("sigma_max", 80),
        in.real("sigma_data", 0.5),
        in.real("s_noise", 1),
        in.real("rho", 7),
        in.flag("clip_denoised", true));
  }

  @Override
  public Map<String, Object> toConfig() {
    return new ConfigWriter(CLASS_NAME)
        .put("num_train_timesteps", trainSteps)
        .put("sigma_min", min)
        .put("sigma_max", max)
        .put("sigma_data", data)
        .put("s_noise", noiseScale)
        .put("rho", rho)
        .put("clip_denoised", clips)
        .toMap();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    double[] steps;
    if (plan instanceof StepPlan.Timesteps custom) {
      steps = Plans.falling(custom, trainSteps);
    } else {
      int count = Plans.count(plan, CLASS_NAME, trainSteps);
      steps = new Spacing(TimestepSpacing.LEADING, 0).whole(trainSteps, count);
    }
    double[] timesteps = new double[steps.length];
    double[] sigmas = new double[steps.length + 1];
    for (int i = 0; i < steps.length; i++) {
      double sigma = sigma(steps[steps.length - 1 - i] / (trainSteps - 1));
      timesteps[i] = 250 * Math.log(sigma + 1e-44);
      sigmas[i] = (float) sigma;
    }
    sigmas[steps.length] = (float) min;
    return new Run(this, new Grid(timesteps, sigmas), input);
  }

  private double sigma(double ramp) {
    double from = Math.pow(max, 1 / rho);
    double to = Math.pow(min, 1 / rho);
    return Math.pow(from + ramp * (to - from), rho);
  }

  private static final class Run extends SigmaRun {

    private final ConsistencyScheduler recipe;
    private final Update[] updates;
    private final double[] deviations;

    Run(ConsistencyScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.trainSteps,
          new SampleClamp(recipe.clips, 1, false, 0.995, 1),
          input,
          recipe.max);
      this.recipe = recipe;
      updates = new Update[grid.evaluations()];
      if (updates.length > 1) {
        drawsNoise();
      }
      deviations = new double[updates.length];
      for (int place = 0; place < updates.length; place++) {
        double sigma = sigma(place);
        double above = sigma - recipe.min;
        double square = recipe.data * recipe.data;
        double ofSample = square / (above * above + square);
        double ofOutput = above * recipe.data / Math.sqrt(sigma * sigma + square);
        updates[place] = new Update(new LinearForm(ofSample, ofOutput), 0, 1, 0);
        double next = Math.min(Math.max(sigma(place + 1), recipe.min), recipe.max);
        double added = next * next - recipe.min * recipe.min;
        deviations[place] = recipe.noiseScale * Math.sqrt(Math.max(added, 0));
      }
    }

    @Override
    double inputScale() {
      double sigma = sigma(place());
      return 1 / Math.sqrt(sigma * sigma + recipe.data * recipe.data);
    }

    @Override
    void advance(float[] m, float[] x) {
      Combination noise = sum();
      if (updates.length > 1) {
        noise.plus(deviations[place()], draw());
      }
      step(updates[place()], noise, m, x);
    }
  }
}
