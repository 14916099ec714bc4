package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * DPM-Solver++ multistep for EDM models (Karras et al. 2022, Lu et al. 2022): one evaluation a
 * step.
 *
 * @param sigmas noise levels and preconditioning
 * @param method which DPM-Solver, on predicted data
 * @param clamp what is done to each estimate of the data
 */
public record EdmDpmSolverMultistepScheduler(EdmSigmas sigmas, DpmMethod method, SampleClamp clamp)
    implements Scheduler {

  static final String CLASS_NAME = "EDMDPMSolverMultistepScheduler";

  public EdmDpmSolverMultistepScheduler {
    requireNonNull(sigmas, "sigmas");
    requireNonNull(method, "method");
    requireNonNull(clamp, "clamp");
    if (!method.algorithm().predictsData()) {
      throw new IllegalArgumentException(
          "algorithm_type must be dpmsolver++ or sde-dpmsolver++, got "
              + method.algorithm().configName());
    }
    if (method.order() == 3 && method.algorithm().isStochastic()) {
      throw new IllegalArgumentException(
          "solver_order must be 1 or 2 for algorithm_type sde-dpmsolver++, got 3");
    }
  }

  static EdmDpmSolverMultistepScheduler read(ConfigReader in) {
    return new EdmDpmSolverMultistepScheduler(
        EdmSigmas.read(in),
        DpmMethod.read(in, true, DpmAlgorithm.DPM_SOLVER_PP, DpmAlgorithm.SDE_DPM_SOLVER_PP)
            .withEulerAtFinal(in.flag("euler_at_final", false)),
        SampleClamp.readThreshold(in));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    sigmas.write(out);
    method.write(out);
    clamp.writeThreshold(out);
    return out.put("euler_at_final", method.eulerAtFinal()).toMap();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(this, sigmas.grid(Plans.count(plan, CLASS_NAME), true), input);
  }

  private static final class Run extends EdmRun implements SnrLevels {

    private final DpmMethod method;
    private final LinearForm[] data;
    private final History history;
    private final DpmStep step;
    private final Update update = new Update();

    Run(EdmDpmSolverMultistepScheduler recipe, Grid grid, RunInput input) {
      super(recipe.sigmas, grid, recipe.clamp, input);
      method = recipe.method;
      if (method.algorithm().isStochastic()) {
        drawsNoise();
      }
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < data.length; place++) {
        data[place] = recipe.sigmas.data(sigma(place));
      }
      history = new History(this, method.order());
      step = new DpmStep(method.algorithm(), method.midpoint());
    }

    @Override
    public double alpha(int place) {
      return 1;
    }

    @Override
    public double level(int place) {
      return sigma(place);
    }

    @Override
    public double lambda(int place) {
      return -Math.log(sigma(place));
    }

    @Override
    void advance(float[] m, float[] x) {
      denoisedIs(history.push());
      step.multistep(method, this, place(), history.count());
      Combination older = sum();
      for (int k = 1; k < history.count(); k++) {
        older.plus(step.weights[k], history.get(k));
      }
      if (method.algorithm().isStochastic()) {
        older.plus(step.ofNoise, draw());
      }
      step(update.set(data[place()], step.ofSample, step.weights[0]), older, m, x);
    }
  }
}
