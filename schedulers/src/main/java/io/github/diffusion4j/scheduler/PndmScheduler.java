package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Pseudo numerical methods on manifolds (Liu et al. 2022): a linear multistep method of order 4,
 * started by Runge-Kutta steps or, as Stable Diffusion has it (PLMS), by lower orders and one
 * evaluation more.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts: noise or velocity
 * @param setAlphaToOne whether the last step ends at clean data rather than at the first training
 *     step
 * @param skipPrkSteps whether to start without the Runge-Kutta steps
 */
public record PndmScheduler(
    Betas betas,
    Spacing spacing,
    Prediction prediction,
    boolean setAlphaToOne,
    boolean skipPrkSteps)
    implements TrainedScheduler {

  static final String CLASS_NAME = "PNDMScheduler";

  private static final int ORDER = AdamsBashforth.ORDER;

  public PndmScheduler {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
  }

  static PndmScheduler read(ConfigReader in) {
    return new PndmScheduler(
        Betas.read(in, Betas.LINEAR),
        Spacing.read(in, TimestepSpacing.LEADING),
        in.choice("prediction_type", Prediction.EPSILON, Prediction.EPSILON, Prediction.V),
        in.flag("set_alpha_to_one", false),
        in.flag("skip_prk_steps", false));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    betas.write(out);
    spacing.write(out);
    return out.put("prediction_type", prediction)
        .put("set_alpha_to_one", setAlphaToOne)
        .put("skip_prk_steps", skipPrkSteps)
        .toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.of(betas);
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    int steps = Plans.count(plan, CLASS_NAME, betas.trainSteps());
    Check.atLeast("steps", steps, skipPrkSteps ? 1 : 2);
    double[] whole = spacing.whole(betas.trainSteps(), steps);
    int stride = betas.trainSteps() / steps;
    double[] timesteps = skipPrkSteps ? repeatSecond(whole) : withRungeKutta(whole, stride);
    Grid grid = Grid.of(timesteps).steps(steps);
    return new Run(this, grid, stride, new RunInput(plan, shape, noise));
  }

  /** The second timestep twice: the first step is taken again from there. */
  private static double[] repeatSecond(double[] whole) {
    if (whole.length == 1) {
      return whole;
    }
    double[] timesteps = new double[whole.length + 1];
    System.arraycopy(whole, 0, timesteps, 0, 2);
    System.arraycopy(whole, 1, timesteps, 2, whole.length - 1);
    return timesteps;
  }

  /** Four evaluations for each of the first three steps, half a step apart. */
  private static double[] withRungeKutta(double[] whole, int stride) {
    int runs = rungeKuttaSteps(whole.length);
    int rest = runs == ORDER - 1 ? whole.length - runs : 0;
    double[] timesteps = new double[4 * runs + rest];
    for (int k = 0; k < runs; k++) {
      double middle = whole[k + 1] + stride / 2;
      timesteps[4 * k] = whole[k];
      timesteps[4 * k + 1] = middle;
      timesteps[4 * k + 2] = middle;
      timesteps[4 * k + 3] = whole[k + 1];
    }
    System.arraycopy(whole, runs, timesteps, 4 * runs, rest);
    return timesteps;
  }

  private static int rungeKuttaSteps(int steps) {
    return Math.min(steps, ORDER) - 1;
  }

  private static final class Run extends TimestepRun {

    private final PndmScheduler recipe;
    private final int stride;
    private final int rungeKutta;
    private final History outputs;
    private final LinearForm[] data;
    private final float[] stepStart = newSample();
    private final float[] sum = newSample();
    private double ofSample;
    private double ofOutput;

    Run(PndmScheduler recipe, Grid grid, int stride, RunInput input) {
      super(grid, recipe.noiseSchedule(), SampleClamp.NONE, input);
      this.recipe = recipe;
      this.stride = stride;
      rungeKutta = recipe.skipPrkSteps ? 0 : 4 * rungeKuttaSteps(grid.steps());
      outputs = new History(this, ORDER);
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < data.length; place++) {
        double alphaBar = schedule().alphaBar(trainStep(place));
        data[place] = recipe.prediction.data(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      sum().apply(data[place()], x, m, denoised());
      if (index() < rungeKutta) {
        stepRungeKutta(m, x);
      } else {
        stepMultistep(m, x);
      }
    }

    private void stepRungeKutta(float[] m, float[] x) {
      int stage = index() % 4;
      int from = (int) timestepAt(index() - stage);
      int to = trainStep(place()) - (stage % 2 == 0 ? stride / 2 : 0);
      if (stage == 0) {
        System.arraycopy(m, 0, outputs.push(), 0, m.length);
        System.arraycopy(x, 0, stepStart, 0, x.length);
        sum().plus(1 / 6.0, m).into(sum);
      } else {
        sum().plus(1, sum).plus(stage == 3 ? 1 / 6.0 : 1 / 3.0, m).into(sum);
      }
      setTransfer(from, to);
      sum().plus(ofSample, stepStart).plus(ofOutput, stage == 3 ? sum : m).into(x);
    }

    private void stepMultistep(float[] m, float[] x) {
      int from = trainStep(place());
      int to = from - stride;
      if (index() == 1) {
        to = from;
        from += stride;
      } else {
        System.arraycopy(m, 0, outputs.push(), 0, m.length);
      }
      setTransfer(from, to);
      if (index() == 1) {
        sum()
            .plus(ofSample, stepStart)
            .plus(ofOutput / 2, m)
            .plus(ofOutput / 2, outputs.get(0))
            .into(x);
        return;
      }
      if (index() == 0) {
        System.arraycopy(x, 0, stepStart, 0, x.length);
      }
      double[] weights = AdamsBashforth.weights(outputs.count());
      Combination next = sum().plus(ofSample, x);
      for (int k = 0; k < weights.length; k++) {
        next.plus(ofOutput * weights[k], outputs.get(k));
      }
      next.into(x);
    }

    /** Equation (9) of the paper, from one training step to another. */
    private void setTransfer(int from, int to) {
      double alphaBar = schedule().alphaBar(from);
      double nextAlphaBar =
          to >= 0 ? schedule().alphaBar(to) : recipe.setAlphaToOne ? 1 : schedule().alphaBar(0);
      double scale =
          alphaBar * Math.sqrt(1 - nextAlphaBar)
              + Math.sqrt(alphaBar * (1 - alphaBar) * nextAlphaBar);
      double ofNoise = -(nextAlphaBar - alphaBar) / scale;
      ofSample = Math.sqrt(nextAlphaBar / alphaBar);
      ofOutput = ofNoise;
      if (recipe.prediction == Prediction.V) {
        ofSample += ofNoise * Math.sqrt(1 - alphaBar);
        ofOutput = ofNoise * Math.sqrt(alphaBar);
      }
    }
  }
}
