package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Multistep sampling of latent consistency models (Luo et al. 2023): each evaluation jumps to the
 * data, each step but the last one noises it again.
 *
 * @param betas the model's training
 * @param prediction what the model predicts: noise, data or velocity
 * @param clamp what is done to each estimate of the data
 * @param distilled the steps that the model was distilled on
 * @param setAlphaToOne whether timesteps before the first count as clean data
 * @param timestepScaling factor on the timestep in the boundary condition, above 0
 */
public record LcmScheduler(
    Betas betas,
    Prediction prediction,
    SampleClamp clamp,
    DistilledSteps distilled,
    boolean setAlphaToOne,
    double timestepScaling)
    implements TrainedScheduler {

  static final String CLASS_NAME = "LCMScheduler";

  private static final double DATA_SIGMA = 0.5;

  public LcmScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
    requireNonNull(distilled, "distilled");
    Check.positive("timestep_scaling", timestepScaling);
  }

  static LcmScheduler read(ConfigReader in) {
    return new LcmScheduler(
        Betas.readWithRescale(in, Betas.STABLE_DIFFUSION),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        SampleClamp.read(in, false),
        DistilledSteps.read(in),
        in.flag("set_alpha_to_one", true),
        in.real("timestep_scaling", 10));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    clamp.write(out);
    distilled.write(out);
    return out.put("prediction_type", prediction)
        .put("set_alpha_to_one", setAlphaToOne)
        .put("timestep_scaling", timestepScaling)
        .toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    Grid grid = distilled.grid(plan, CLASS_NAME, betas.trainSteps());
    return new Run(this, grid, new RunInput(plan, shape, noise));
  }

  private static final class Run extends TimestepRun {

    private final LcmScheduler recipe;
    private final LinearForm[] data;

    Run(LcmScheduler recipe, Grid grid, RunInput input) {
      super(grid, recipe.noiseSchedule(), recipe.clamp, input);
      this.recipe = recipe;
      data = new LinearForm[grid.evaluations()];
      drawsNoise();
      for (int place = 0; place < data.length; place++) {
        double alphaBar = schedule().alphaBar(trainStep(place));
        data[place] = recipe.prediction.data(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      double time = timestepAt(place) * recipe.timestepScaling;
      double square = time * time + DATA_SIGMA * DATA_SIGMA;
      double ofData = time / Math.sqrt(square);
      double ofSample = DATA_SIGMA * DATA_SIGMA / square;
      estimate(data[place], m, x);
      sum().plus(ofData, denoised()).plus(ofSample, x).into(denoised());
      if (place == grid().steps() - 1) {
        System.arraycopy(denoised(), 0, x, 0, x.length);
        return;
      }
      int next = place + 1 < grid().timesteps().length ? trainStep(place + 1) : trainStep(place);
      double alphaBar = schedule().alphaBar(next);
      sum().plus(Math.sqrt(alphaBar), denoised()).plus(Math.sqrt(1 - alphaBar), draw()).into(x);
    }
  }
}
