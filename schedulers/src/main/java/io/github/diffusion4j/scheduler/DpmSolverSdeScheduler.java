package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.IntervalNoise;
import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Stochastic DPM-Solver++ of order 2 in a single step (from k-diffusion, {@code sample_dpmpp_sde}):
 * two evaluations a step, one in the last, with noise from one Brownian path, so that other step
 * counts paint a similar picture.
 *
 * @param config the model and its schedule; noise or velocity is predicted
 * @param noiseSamplerSeed seed of the path; empty: taken from the generation's noise, for each
 *     image by itself. A generation whose noise is an {@link IntervalNoise} uses that instead
 * @param noiseScale factor on the noise, at least 0
 */
public record DpmSolverSdeScheduler(
    SigmaConfig config, OptionalLong noiseSamplerSeed, double noiseScale)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DPMSolverSDEScheduler";

  public DpmSolverSdeScheduler {
    requireNonNull(config, "config");
    requireNonNull(noiseSamplerSeed, "noiseSamplerSeed");
    Check.between("s_noise", noiseScale, 0, Double.MAX_VALUE);
  }

  static DpmSolverSdeScheduler read(ConfigReader in) {
    return new DpmSolverSdeScheduler(
        Kdpm2Scheduler.readConfig(in), in.optionalLong("noise_sampler_seed"), 1);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    Object seed = noiseSamplerSeed.isPresent() ? noiseSamplerSeed.getAsLong() : null;
    return out.putObject("noise_sampler_seed", seed).toMap();
  }

  @Override
  public DpmSolverSdeScheduler with(Map<String, ?> stepOptions) {
    return new DpmSolverSdeScheduler(
        config, noiseSamplerSeed, StepOptions.read(stepOptions).real("s_noise", noiseScale));
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
    double[] timesteps = new double[2 * steps - 1];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = spaced.timesteps()[i / 2];
      if (i % 2 == 1) {
        double[] sigmas = spaced.sigmas();
        timesteps[i] = table.timestepOf(Math.sqrt(sigmas[i / 2] * sigmas[i / 2 + 1]));
      }
    }
    Grid grid =
        new Grid(timesteps, TwoStage.repeatBetween(spaced.endingAt(0))).order(2).steps(steps);
    return new Run(this, grid, input);
  }

  private static final class Run extends SigmaRun {

    private final DpmSolverSdeScheduler recipe;
    private final LinearForm[] data;
    private final float[] before = newSample();
    private final float[] increment = newSample();
    private final NoiseSource source;
    private IntervalNoise path;
    private boolean second;

    Run(DpmSolverSdeScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.config.betas().trainSteps(),
          SampleClamp.NONE,
          input,
          initNoiseSigma(grid, recipe.config.spacing().kind()));
      this.recipe = recipe;
      source = input.noise();
      drawsNoise();
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < data.length; place++) {
        boolean middle = place % 2 == 1;
        double known = middle ? middle(sigma(place - 1), sigma(place)) : sigma(place);
        data[place] = recipe.config.prediction().dataOfUnscaled(known);
      }
    }

    private static double middle(double from, double to) {
      return Math.sqrt(from * to);
    }

    @Override
    double inputSigma() {
      return second ? middle(sigma(place() - 1), sigma(place())) : sigma(place());
    }

    @Override
    void advance(float[] m, float[] x) {
      int start = second ? place() - 1 : place();
      double sigma = sigma(start);
      double next = sigma(start + 1);
      estimate(data[place()], m, x);
      if (next == 0) {
        System.arraycopy(denoised(), 0, x, 0, x.length);
        return;
      }
      double to = second ? next : middle(sigma, next);
      if (!second) {
        System.arraycopy(x, 0, before, 0, x.length);
      }
      double up = Math.min(to, Ancestral.up(sigma, to));
      double ratio = Ancestral.down(to, up) / sigma;
      path().fill(increment, sigma, to);
      sum()
          .plus(ratio, before)
          .plus(1 - ratio, denoised())
          .plus(up * recipe.noiseScale, increment)
          .into(x);
      second = !second;
    }

    /** Made at the first step, when the first noise of the generation has been drawn. */
    private IntervalNoise path() {
      if (path == null) {
        path =
            source instanceof IntervalNoise given
                ? given
                : BrownianPaths.of(recipe.noiseSamplerSeed, this, draw());
      }
      return path;
    }
  }
}
