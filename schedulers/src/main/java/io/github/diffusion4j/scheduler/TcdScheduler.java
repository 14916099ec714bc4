package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Strategic stochastic sampling of trajectory consistency models (Zheng et al. 2024): each
 * evaluation jumps towards the data beyond the next timestep, then noise leads back up to it.
 *
 * @param betas the model's training
 * @param prediction what the model predicts: noise, data or velocity
 * @param distilled the steps that the model was distilled on
 * @param setAlphaToOne whether timesteps before the first count as clean data
 * @param eta how far beyond (gamma in the paper), 0 to 1; above 0 each step but the last draws
 *     noise
 */
public record TcdScheduler(
    Betas betas, Prediction prediction, DistilledSteps distilled, boolean setAlphaToOne, double eta)
    implements TrainedScheduler {

  static final String CLASS_NAME = "TCDScheduler";

  public TcdScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(prediction, "prediction");
    requireNonNull(distilled, "distilled");
    Check.between("eta", eta, 0, 1);
  }

  static TcdScheduler read(ConfigReader in) {
    return new TcdScheduler(
        Betas.readWithRescale(in, Betas.STABLE_DIFFUSION),
        in.choice(
            "prediction_type",
            Prediction.EPSILON,
            Prediction.EPSILON,
            Prediction.SAMPLE,
            Prediction.V),
        DistilledSteps.read(in),
        in.flag("set_alpha_to_one", true),
        0.3);
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.writeWithRescale(out);
    distilled.write(out);
    return out.put("prediction_type", prediction).put("set_alpha_to_one", setAlphaToOne).toMap();
  }

  @Override
  public TcdScheduler with(Map<String, ?> stepOptions) {
    double other = StepOptions.read(stepOptions).real("eta", eta);
    return new TcdScheduler(betas, prediction, distilled, setAlphaToOne, other);
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(this, distilled.gridOfAll(plan, CLASS_NAME, betas.trainSteps()), input);
  }

  private static final class Run extends TimestepRun {

    private final Update[] updates;
    private final double[] deviations;
    private final boolean stochastic;

    Run(TcdScheduler recipe, Grid grid, RunInput input) {
      super(grid, recipe.noiseSchedule(), SampleClamp.NONE, input);
      stochastic = recipe.eta > 0;
      if (stochastic) {
        drawsNoise();
      }
      updates = new Update[grid.evaluations()];
      deviations = new double[updates.length];
      for (int place = 0; place < updates.length; place++) {
        int next = place + 1 < updates.length ? trainStep(place + 1) : 0;
        int beyond = (int) Math.floor((float) (1 - recipe.eta) * (float) next);
        double alphaBar = schedule().alphaBar(trainStep(place));
        double alpha = Math.sqrt(alphaBar);
        double sigma = Math.sqrt(1 - alphaBar);
        double beyondAlphaBar = schedule().alphaBar(beyond);
        boolean noised = isNoised(place);
        double ratio = noised ? schedule().alphaBar(next) / beyondAlphaBar : 1;
        double scale = Math.sqrt(ratio);
        double towards = scale * Math.sqrt(1 - beyondAlphaBar);
        LinearForm noise = recipe.prediction.noise(alpha, sigma);
        deviations[place] = Math.sqrt(Math.max(1 - ratio, 0));
        updates[place] =
            new Update(
                recipe.prediction.data(alpha, sigma),
                towards * noise.sample(),
                scale * Math.sqrt(beyondAlphaBar),
                towards * noise.output());
      }
    }

    private boolean isNoised(int place) {
      return stochastic && place != grid().steps() - 1;
    }

    @Override
    void advance(float[] m, float[] x) {
      Combination others = sum();
      if (isNoised(place())) {
        others.plus(deviations[place()], draw());
      }
      step(updates[place()], others, m, x);
    }
  }
}
