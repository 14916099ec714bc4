package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * DPM-Solver and DPM-Solver++ as singlestep methods of order 1 to 3 (Lu et al. 2022): groups of
 * steps of growing order, each group starting afresh; one evaluation a step.
 *
 * @param config the model and its schedule, always of linspace spacing
 * @param method which DPM-Solver
 * @param last where the last step goes; a clean sample needs a method on predicted data
 * @param lambdaMinClipped least log signal to noise ratio of training that is used; -infinity: all
 * @param learnedVariance whether the model also predicts a variance, which is not used
 */
public record DpmSolverSinglestepScheduler(
    LogSnrConfig config,
    DpmMethod method,
    FinalSigma last,
    double lambdaMinClipped,
    LearnedVariance learnedVariance)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DPMSolverSinglestepScheduler";

  public DpmSolverSinglestepScheduler {
    requireNonNull(config, "config");
    requireNonNull(method, "method");
    requireNonNull(last, "last");
    requireNonNull(learnedVariance, "learnedVariance");
    DpmSupport.requireDataForClean(method, last);
    DpmSupport.requireFlow(config, method);
  }

  static DpmSolverSinglestepScheduler read(ConfigReader in) {
    LogSnrConfig config =
        LogSnrConfig.readUnspaced(
            in, Betas.read(in, Betas.LINEAR), SigmaSpacing.read(in), FlowSigmas.readDynamic(in));
    return new DpmSolverSinglestepScheduler(
        config,
        DpmMethod.read(
            in,
            false,
            DpmAlgorithm.DPM_SOLVER,
            DpmAlgorithm.DPM_SOLVER_PP,
            DpmAlgorithm.SDE_DPM_SOLVER_PP),
        in.choice("final_sigmas_type", FinalSigma.ZERO),
        in.real("lambda_min_clipped", Double.NEGATIVE_INFINITY),
        in.choice("variance_type", LearnedVariance.NONE));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.betas().write(out);
    config.writeUnspaced(out);
    config.sigmas().write(out);
    config.flow().writeDynamic(out);
    method.write(out);
    out.put("final_sigmas_type", last);
    DpmSupport.writeClipped(out, lambdaMinClipped);
    return out.putObject("variance_type", learnedVariance.configValue()).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    config.flow().factor(plan);
    NoiseSchedule table = noiseSchedule();
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, table, lambdaMinClipped);
    Grid grid =
        new Grid(
            DpmSupport.whole(spaced.timesteps(), config.sigmas(), true),
            spaced.endingAt(last == FinalSigma.ZERO ? 0 : table.firstSigma()));
    return new Run(this, grid, input);
  }

  /** The order of each step: 1 to the highest over and over, and lower at the end. */
  static int[] orders(int steps, int highest, boolean lowerOrderFinal, boolean endsClean) {
    boolean lower = lowerOrderFinal || steps % highest != 0 || endsClean;
    int[] orders = new int[steps];
    for (int i = 0; i < steps; i++) {
      orders[i] = i % highest + 1;
    }
    if (endsClean || lower && steps % highest == 0) {
      orders[steps - 1] = 1;
    }
    if (lower && highest == 3 && steps % 3 == 0) {
      orders[steps - 2] = 2;
    }
    return orders;
  }

  private static final class Run extends LogSnrRun {

    private final DpmMethod method;
    private final DpmStep step;
    private final int[] orders;
    private final boolean learnedVariance;
    private final float[] start = newSample();

    Run(DpmSolverSinglestepScheduler recipe, Grid grid, RunInput input) {
      super(
          recipe.config,
          grid,
          input,
          recipe.method.algorithm().predictsData(),
          recipe.method.order());
      method = recipe.method;
      learnedVariance = recipe.learnedVariance.isLearned();
      if (method.algorithm().isStochastic()) {
        drawsNoise();
      }
      step = new DpmStep(method.algorithm(), method.midpoint());
      orders =
          orders(
              grid.timesteps().length, method.order(), method.lowerOrderFinal(), grid.endsClean());
    }

    @Override
    boolean takesVariance() {
      return learnedVariance;
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      remember(m, x);
      int order = Math.min(orders[place], history().count());
      switch (order) {
        case 1 -> {
          System.arraycopy(x, 0, start, 0, x.length);
          step.first(this, place);
        }
        case 2 -> step.singlestepSecond(this, place);
        default -> step.singlestepThird(this, place);
      }
      Combination next = sum().plus(step.ofSample, start);
      for (int k = 0; k < order; k++) {
        next.plus(step.weights[k], history().get(k));
      }
      if (method.algorithm().isStochastic()) {
        next.plus(step.ofNoise, draw());
      }
      next.into(x);
    }
  }
}
