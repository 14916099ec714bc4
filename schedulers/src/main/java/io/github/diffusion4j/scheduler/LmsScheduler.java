package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Linear multistep method on sigmas (Adams-Bashforth with uneven steps, from k-diffusion): one
 * evaluation a step.
 *
 * @param config the model and its schedule
 * @param order number of slopes used, 1 to 20
 */
public record LmsScheduler(SigmaConfig config, int order) implements TrainedScheduler {

  static final String CLASS_NAME = "LMSDiscreteScheduler";

  private static final int HIGHEST = 20;

  public LmsScheduler {
    requireNonNull(config, "config");
    Check.between("order", order, 1, HIGHEST);
  }

  static LmsScheduler read(ConfigReader in) {
    return new LmsScheduler(
        SigmaConfig.read(
            in, Betas.read(in, Betas.LINEAR), Prediction.EPSILON, Prediction.SAMPLE, Prediction.V),
        4);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.toMap();
  }

  @Override
  public LmsScheduler with(Map<String, ?> stepOptions) {
    return new LmsScheduler(config, StepOptions.read(stepOptions).integer("order", order));
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    Plans.count(plan, CLASS_NAME);
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, noiseSchedule());
    Grid grid = new Grid(Grid.toSingle(spaced.timesteps()), spaced.endingAt(0));
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private static final class Run extends SigmaRun {

    private final Update update = new Update();
    private final LinearForm[] data;
    private final LinearForm[] slopes;
    private final double[][] weights;
    private final History history;

    Run(LmsScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.config.betas().trainSteps(),
          SampleClamp.NONE,
          input,
          initNoiseSigma(grid, recipe.config.spacing().kind()));
      int count = grid.evaluations();
      data = new LinearForm[count];
      slopes = new LinearForm[count];
      weights = new double[count][];
      for (int place = 0; place < count; place++) {
        double sigma = sigma(place);
        data[place] = recipe.config.prediction().dataOfUnscaled(sigma);
        slopes[place] =
            new LinearForm((1 - data[place].sample()) / sigma, -data[place].output() / sigma);
        weights[place] = weights(place, Math.min(place + 1, recipe.order));
      }
      history = new History(this, recipe.order);
    }

    /** Integrals over the step of the polynomials that are 1 at one of the last sigmas. */
    private double[] weights(int place, int order) {
      double[] integrals = new double[order];
      double from = sigma(place);
      double length = sigma(place + 1) - from;
      for (int k = 0; k < order; k++) {
        for (int node = 0; node < GaussLegendre.COUNT; node++) {
          double tau = from + length * GaussLegendre.node(node);
          double product = GaussLegendre.weight(node) * length;
          for (int j = 0; j < order; j++) {
            if (j != k) {
              product *= (tau - sigma(place - j)) / (sigma(place - k) - sigma(place - j));
            }
          }
          integrals[k] += product;
        }
      }
      return integrals;
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      double[] weight = weights[place];
      sum().apply(slopes[place], x, m, history.push());
      Combination older = sum();
      for (int k = 1; k < Math.min(weight.length, history.count()); k++) {
        older.plus(weight[k], history.get(k));
      }
      double ofSample = 1 + weight[0] * slopes[place].sample();
      double ofOutput = weight[0] * slopes[place].output();
      step(update.set(data[place], ofSample, 0).plusOutput(ofOutput), older, m, x);
    }
  }
}
