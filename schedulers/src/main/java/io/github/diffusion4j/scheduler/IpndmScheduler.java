package io.github.diffusion4j.scheduler;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.List;
import java.util.Map;

/**
 * Improved pseudo numerical methods (from v-diffusion-pytorch): a linear multistep method of order
 * 4 for models of velocity on a schedule of its own; one evaluation a step.
 *
 * @param trainSteps the number of training steps, which no result depends on
 * @param trainedBetas noise levels from 1 to 0 for each step and the end, which take the place of
 *     the schedule; empty: none
 */
public record IpndmScheduler(int trainSteps, List<Double> trainedBetas) implements Scheduler {

  static final String CLASS_NAME = "IPNDMScheduler";

  private static final double LEAST_ALPHA = 1e-8;

  public IpndmScheduler {
    Check.atLeast("num_train_timesteps", trainSteps, 1);
    trainedBetas = List.copyOf(trainedBetas);
    if (trainedBetas.size() == 1) {
      throw new IllegalArgumentException(
          "trained_betas must hold at least two values, got " + trainedBetas);
    }
  }

  static IpndmScheduler read(ConfigReader in) {
    return new IpndmScheduler(in.integer("num_train_timesteps", 1000), in.reals("trained_betas"));
  }

  @Override
  public Map<String, Object> toConfig() {
    return new ConfigWriter(CLASS_NAME)
        .put("num_train_timesteps", trainSteps)
        .put("trained_betas", trainedBetas)
        .toMap();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    float[] betas = betas(Plans.count(plan, CLASS_NAME));
    double[] levels = new double[betas.length];
    double[] signals = new double[betas.length];
    double[] timesteps = new double[betas.length - 1];
    for (int i = 0; i < betas.length; i++) {
      levels[i] = betas[i];
      signals[i] = (float) Math.sqrt(1f - betas[i] * betas[i]);
      if (i < timesteps.length) {
        timesteps[i] = (float) Math.atan2(levels[i], signals[i]) / (float) Math.PI * 2;
      }
    }
    Grid grid = Grid.of(timesteps).extras(Map.of("alphas", signals, "betas", levels));
    return new Run(trainSteps, grid, input);
  }

  private float[] betas(int steps) {
    float[] betas = new float[trainedBetas.isEmpty() ? steps + 1 : trainedBetas.size()];
    if (!trainedBetas.isEmpty()) {
      for (int i = 0; i < betas.length; i++) {
        betas[i] = trainedBetas.get(i).floatValue();
      }
      return betas;
    }
    Betas.linspace(1, 0, betas);
    for (int i = 0; i < betas.length; i++) {
      float sine = (float) Math.sin(betas[i] * (float) Math.PI / 2);
      betas[i] = sine * sine;
    }
    return betas;
  }

  private static final class Run extends GridRun {

    private final double[] alphas;
    private final double[] betas;
    private final LinearForm[] noises;
    private final LinearForm[] data;
    private final History history = new History(this, AdamsBashforth.ORDER);
    private final Update update = new Update();

    Run(int trainSteps, Grid grid, RunInput input) {
      super(grid, trainSteps, SampleClamp.NONE, input);
      alphas = grid.extras().get("alphas");
      betas = grid.extras().get("betas");
      noises = new LinearForm[grid.evaluations()];
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < noises.length; place++) {
        noises[place] = Prediction.V.noise(alphas[place], betas[place]);
        data[place] = Prediction.V.data(alphas[place], betas[place]);
      }
    }

    @Override
    double signal() {
      return alphas[place()];
    }

    @Override
    double noiseLevel() {
      return betas[place()];
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      sum().apply(noises[place], x, m, history.push());
      double ofSample = alphas[place + 1] / Math.max(alphas[place], LEAST_ALPHA);
      double ofNoise = betas[place + 1] - ofSample * betas[place];
      double[] weights = AdamsBashforth.weights(history.count());
      Combination older = sum();
      for (int k = 1; k < weights.length; k++) {
        older.plus(ofNoise * weights[k], history.get(k));
      }
      double own = ofNoise * weights[0];
      update
          .set(data[place], ofSample + own * noises[place].sample(), 0)
          .plusOutput(own * noises[place].output());
      step(update, older, m, x);
    }
  }
}
