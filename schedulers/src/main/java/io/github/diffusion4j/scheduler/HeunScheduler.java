package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Heun's method on sigmas (Karras et al. 2022, algorithm 1): two evaluations a step, one in the
 * last.
 *
 * @param config the model and its schedule
 * @param clamp what is done to each estimate of the data
 */
public record HeunScheduler(SigmaConfig config, SampleClamp clamp) implements TrainedScheduler {

  static final String CLASS_NAME = "HeunDiscreteScheduler";

  public HeunScheduler {
    requireNonNull(config, "config");
    requireNonNull(clamp, "clamp");
  }

  static HeunScheduler read(ConfigReader in) {
    Betas betas =
        Betas.read(
            in,
            Betas.LINEAR_SD,
            BetaSchedule.LINEAR,
            BetaSchedule.SCALED_LINEAR,
            BetaSchedule.COSINE,
            BetaSchedule.EXPONENTIAL);
    return new HeunScheduler(
        SigmaConfig.read(in, betas, Prediction.EPSILON, Prediction.SAMPLE, Prediction.V),
        SampleClamp.readClip(in, false));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    clamp.writeClip(out);
    return out.toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, noiseSchedule());
    Grid grid =
        new Grid(
                Grid.toSingle(TwoStage.repeatAfterFirst(spaced.timesteps())),
                TwoStage.repeatBetween(spaced.endingAt(0)))
            .order(2)
            .steps(Plans.steps(plan, 2 * spaced.count() - 1));
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private static final class Run extends SigmaRun {

    private final LinearForm[] data;
    private final float[] slope = newSample();
    private final float[] before = newSample();
    private boolean second;

    Run(HeunScheduler recipe, Grid grid, RunInput input) {
      super(
          grid,
          recipe.config.betas().trainSteps(),
          recipe.clamp,
          input,
          initNoiseSigma(grid, recipe.config.spacing().kind()));
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < data.length; place++) {
        data[place] = recipe.config.prediction().dataOfUnscaled(sigma(place));
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      double sigma = sigma(place());
      estimate(data[place()], m, x);
      if (second) {
        double half = (sigma - sigma(place() - 1)) / 2;
        sum()
            .plus(1, before)
            .plus(half, slope)
            .plus(half / sigma, x)
            .plus(-half / sigma, denoised())
            .into(x);
      } else {
        System.arraycopy(x, 0, before, 0, x.length);
        sum().plus(1 / sigma, x).plus(-1 / sigma, denoised()).into(slope);
        sum().plus(1, x).plus(sigma(place() + 1) - sigma, slope).into(x);
      }
      second = !second;
    }
  }
}
