package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Euler's method on sigmas, with optional noise put back (Karras et al. 2022, algorithm 2): one
 * evaluation a step.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise, data or velocity
 * @param sigmas how the noise levels are spaced
 * @param churn noise put back before each step
 */
public record EulerScheduler(
    Betas betas, Spacing spacing, Prediction prediction, Sigmas sigmas, Churn churn)
    implements TrainedScheduler {

  static final String CLASS_NAME = "EulerDiscreteScheduler";

  /**
   * How the noise levels are spaced.
   *
   * @param spacing the rule
   * @param min least sigma of the rule; empty: of the chosen training steps
   * @param max greatest sigma of the rule; empty: of the chosen training steps
   * @param last where the last step goes
   * @param logInterpolation whether sigmas of {@link SigmaSpacing#TRAINED} are evenly spaced in the
   *     logarithm rather than taken at the timesteps
   * @param continuous whether a model of velocity is told log(sigma) / 4 instead of the timestep
   */
  public record Sigmas(
      SigmaSpacing spacing,
      OptionalDouble min,
      OptionalDouble max,
      FinalSigma last,
      boolean logInterpolation,
      boolean continuous) {

    public Sigmas {
      requireNonNull(spacing, "spacing");
      requireNonNull(last, "last");
      min.ifPresent(sigma -> Check.positive("sigma_min", sigma));
      max.ifPresent(sigma -> Check.positive("sigma_max", sigma));
    }

    static Sigmas read(ConfigReader in) {
      return new Sigmas(
          SigmaSpacing.read(in),
          in.optional("sigma_min"),
          in.optional("sigma_max"),
          in.choice("final_sigmas_type", FinalSigma.ZERO),
          in.either("interpolation_type", "linear", "log_linear"),
          in.either("timestep_type", "discrete", "continuous"));
    }

    void write(ConfigWriter out) {
      spacing.write(out);
      out.put("sigma_min", min)
          .put("sigma_max", max)
          .put("final_sigmas_type", last)
          .putObject("interpolation_type", logInterpolation ? "log_linear" : "linear")
          .putObject("timestep_type", continuous ? "continuous" : "discrete");
    }
  }

  public EulerScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(sigmas, "sigmas");
    requireNonNull(churn, "churn");
  }

  static EulerScheduler read(ConfigReader in) {
    return new EulerScheduler(
        Betas.readWithRescale(in, Betas.LINEAR),
        Spacing.read(in, TimestepSpacing.LINSPACE),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        Sigmas.read(in),
        Churn.NONE);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    spacing.write(out);
    sigmas.write(out);
    return out.put("prediction_type", prediction).toMap();
  }

  @Override
  public EulerScheduler with(Map<String, ?> stepOptions) {
    ConfigReader in = StepOptions.read(stepOptions);
    return new EulerScheduler(betas, spacing, prediction, sigmas, churn.with(in));
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.withFiniteSigmas(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    Grid grid = grid(plan, noiseSchedule());
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private Grid grid(StepPlan plan, NoiseSchedule table) {
    boolean told = sigmas.continuous && prediction == Prediction.V;
    if (plan instanceof StepPlan.Sigmas custom) {
      Plans.requireNoTimesteps(custom, CLASS_NAME);
      double[] levels = Grid.toSingle(Grid.toArray(custom.sigmas()));
      double[] timesteps = new double[Plans.stepsOf(custom, CLASS_NAME)];
      for (int i = 0; i < timesteps.length; i++) {
        timesteps[i] = table.timestepOf((float) levels[i]);
      }
      return new Grid(told ? logs(levels) : Grid.toSingle(timesteps), levels);
    }
    if (plan instanceof StepPlan.Timesteps && told) {
      throw new IllegalArgumentException(
          "timesteps cannot be given where timestep_type is continuous, got " + plan);
    }
    SigmaGrid spaced = SigmaGrid.of(plan, CLASS_NAME, table, spacing, sigmas.spacing);
    if (sigmas.logInterpolation) {
      spaced = spaced.withSigmas(logSpaced(table, spaced.count()));
    }
    spaced = spaced.respaced(sigmas.spacing, sigmas.min, sigmas.max);
    double last = sigmas.last == FinalSigma.ZERO ? 0 : table.firstSigma();
    double[] levels = spaced.endingAt(last);
    return new Grid(told ? logs(levels) : Grid.toSingle(spaced.timesteps()), levels);
  }

  private static double[] logSpaced(NoiseSchedule table, int steps) {
    float[] logs = new float[steps + 1];
    Betas.linspace((float) table.lastLogSigma(), (float) table.firstLogSigma(), logs);
    double[] levels = new double[logs.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (float) Math.exp(logs[i]);
    }
    return levels;
  }

  private static double[] logs(double[] levels) {
    double[] timesteps = new double[levels.length - 1];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = 0.25f * (float) Math.log(levels[i]);
    }
    return timesteps;
  }

  private static final class Run extends SigmaRun {

    private final Update[] updates;
    private final double[] raises;

    Run(EulerScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.betas.trainSteps(),
          SampleClamp.NONE,
          input,
          initNoiseSigma(grid, recipe.spacing.kind()));
      updates = new Update[grid.evaluations()];
      raises = new double[updates.length];
      if (recipe.churn.churn() > 0) {
        drawsNoise();
      }
      for (int place = 0; place < updates.length; place++) {
        double sigma = sigma(place);
        double raised = recipe.churn.raised(sigma, grid.sigmas().length - 1);
        raises[place] = raised > sigma ? recipe.churn.deviation(sigma, raised) : 0;
        double known = recipe.prediction == Prediction.EPSILON ? raised : sigma;
        double slope = (sigma(place + 1) - raised) / raised;
        updates[place] = new Update(recipe.prediction.dataOfUnscaled(known), 1 + slope, -slope, 0);
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      double raise = raises[place()];
      if (raise > 0) {
        sum().plus(1, x).plus(raise, draw()).into(x);
      }
      step(updates[place()], sum(), m, x);
    }
  }
}
