package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Stochastic DPM-Solver++ of order 2 for CogVideoX models: one evaluation a step, with two draws of
 * noise in all steps but the first and the last.
 *
 * @param config the model and its schedule
 */
public record CogVideoDpmScheduler(CogVideoConfig config) implements TrainedScheduler {

  static final String CLASS_NAME = "CogVideoXDPMScheduler";

  public CogVideoDpmScheduler {
    requireNonNull(config, "config");
  }

  static CogVideoDpmScheduler read(ConfigReader in) {
    return new CogVideoDpmScheduler(CogVideoConfig.read(in));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.write(out);
    return out.toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return config.noiseSchedule();
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    return new Run(config, config.grid(plan, CLASS_NAME), input);
  }

  private static final class Run extends TimestepRun {

    private final CogVideoConfig config;
    private final LinearForm[] data;
    private final History history = new History(this, 2);
    private final Update update = new Update();

    Run(CogVideoConfig config, Grid grid, RunInput input) {
      super(grid, config.noiseSchedule(), SampleClamp.NONE, input);
      drawsNoise();
      this.config = config;
      data = new LinearForm[grid.evaluations()];
      for (int place = 0; place < data.length; place++) {
        double alphaBar = schedule().alphaBar(trainStep(place));
        data[place] = config.prediction().data(Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
      }
    }

    @Override
    void advance(float[] m, float[] x) {
      int place = place();
      double alphaBar = schedule().alphaBar(trainStep(place));
      double next = config.nextAlphaBar(schedule(), trainStep(place), data.length);
      double h = lambda(next) - lambda(alphaBar);
      double ofSample = Math.sqrt((1 - next) / (1 - alphaBar)) * Math.exp(-h);
      double ofData = -Math.expm1(-2 * h) * Math.sqrt(next);
      double ofNoise = Math.sqrt((1 - next) * -Math.expm1(-2 * h));
      denoisedIs(history.push());
      float[] noise = draw();
      boolean last = trainStep(place) < schedule().trainSteps() / data.length;
      if (history.count() < 2 || last) {
        step(update.set(data[place], ofSample, ofData), sum().plus(ofNoise, noise), m, x);
        return;
      }
      double before = schedule().alphaBar(trainStep(place - 1));
      double half = h / (2 * (lambda(alphaBar) - lambda(before)));
      Combination others = sum().plus(-ofData * half, history.get(1)).plus(ofNoise, draw());
      step(update.set(data[place], ofSample, ofData * (1 + half)), others, m, x);
    }

    private static double lambda(double alphaBar) {
      return 0.5 * Math.log(alphaBar / (1 - alphaBar));
    }
  }
}
