package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Diffusion exponential integrator sampler with a multistep polynomial in log rho (Zhang and Chen
 * 2022): one evaluation a step.
 *
 * @param config the model and its schedule
 * @param order 1 to 3
 * @param lowerOrderFinal whether the last steps of a short schedule are of lower order
 */
public record DeisScheduler(LogSnrConfig config, int order, boolean lowerOrderFinal)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DEISMultistepScheduler";

  public DeisScheduler {
    requireNonNull(config, "config");
    Check.between("solver_order", order, 1, 3);
  }

  static DeisScheduler read(ConfigReader in) {
    in.oneOf("algorithm_type", "deis", "dpmsolver", "dpmsolver++");
    in.oneOf("solver_type", "logrho", "midpoint", "heun", "bh1", "bh2");
    return new DeisScheduler(
        LogSnrConfig.read(
            in, Betas.read(in, Betas.LINEAR), SigmaSpacing.read(in), FlowSigmas.readDynamic(in)),
        in.integer("solver_order", 2),
        in.flag("lower_order_final", true));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.betas().write(out);
    config.write(out);
    config.sigmas().write(out);
    config.flow().writeDynamic(out);
    return out.put("solver_order", order)
        .put("lower_order_final", lowerOrderFinal)
        .putObject("algorithm_type", "deis")
        .putObject("solver_type", "logrho")
        .toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    Plans.count(plan, CLASS_NAME);
    config.flow().factor(plan);
    NoiseSchedule table = noiseSchedule();
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, table, Double.NEGATIVE_INFINITY);
    Grid grid =
        new Grid(
            DpmSupport.whole(spaced.timesteps(), config.sigmas(), true),
            spaced.endingAt(config.lastSigma(table, spaced)));
    return new Run(this, grid, input);
  }

  private static final class Run extends LogSnrRun {

    private final DeisScheduler recipe;
    private final double[] weights;
    private final double[] logs;

    Run(DeisScheduler recipe, Grid grid, RunInput input) {
      super(recipe.config, grid, input, false, recipe.order);
      this.recipe = recipe;
      weights = new double[recipe.order];
      logs = new double[recipe.order];
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      int steps = grid().timesteps().length;
      remember(m, x);
      boolean brief = recipe.lowerOrderFinal && steps < DpmMethod.SHORT;
      int most = brief ? Math.min(recipe.order, steps - place) : recipe.order;
      int order = Math.min(most, history().count());
      weigh(place, order);
      Combination next = sum().plus(alpha(place + 1) / alpha(place), x);
      for (int k = 0; k < order; k++) {
        next.plus(alpha(place + 1) * weights[k], history().get(k));
      }
      next.into(x);
    }

    /** Integrals over rho of the polynomials in log rho that are 1 at one of the last places. */
    private void weigh(int place, int order) {
      for (int k = 0; k < order; k++) {
        logs[k] = -lambda(place - k);
      }
      for (int k = 0; k < order; k++) {
        weights[k] = integral(-lambda(place + 1), k, order) - integral(logs[0], k, order);
      }
    }

    /** Antiderivative, at the logarithm of rho, of the k-th polynomial of so many places. */
    private double integral(double log, int k, int order) {
      double rho = Math.exp(log);
      if (order == 1) {
        return rho;
      }
      double b = logs[k];
      double c = logs[(k + 1) % order];
      if (order == 2) {
        return rho * (log - 1 - c) / (b - c);
      }
      double d = logs[(k + 2) % order];
      double square = c * (d - log + 1) - d * log + d + log * log - 2 * log + 2;
      return rho * square / ((b - c) * (b - d));
    }
  }
}
