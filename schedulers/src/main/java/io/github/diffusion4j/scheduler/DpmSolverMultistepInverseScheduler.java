package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Arrays;
import java.util.Map;

/**
 * DPM-Solver multistep run backwards: from a picture to the noise that would paint it.
 *
 * @param config the model and its schedule
 * @param method which DPM-Solver
 * @param lambdaMinClipped least log signal to noise ratio of training that is used; -infinity: all
 * @param learnedVariance whether the model also predicts a variance, which is not used
 */
public record DpmSolverMultistepInverseScheduler(
    LogSnrConfig config, DpmMethod method, double lambdaMinClipped, LearnedVariance learnedVariance)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DPMSolverMultistepInverseScheduler";

  public DpmSolverMultistepInverseScheduler {
    requireNonNull(config, "config");
    requireNonNull(method, "method");
    requireNonNull(learnedVariance, "learnedVariance");
    DpmSupport.requireThirdOrder(method);
    DpmSupport.requireFlow(config, method);
  }

  static DpmSolverMultistepInverseScheduler read(ConfigReader in) {
    return new DpmSolverMultistepInverseScheduler(
        LogSnrConfig.read(
            in, Betas.read(in, Betas.LINEAR), SigmaSpacing.read(in), FlowSigmas.read(in)),
        DpmMethod.read(in, true).withEulerAtFinal(in.flag("euler_at_final", false)),
        in.real("lambda_min_clipped", Double.NEGATIVE_INFINITY),
        in.choice("variance_type", LearnedVariance.NONE));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.betas().write(out);
    config.write(out);
    config.sigmas().write(out);
    config.flow().write(out);
    method.write(out);
    out.put("euler_at_final", method.eulerAtFinal());
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
    int steps = Plans.count(plan, CLASS_NAME);
    Grid grid = grid(plan, noiseSchedule(), steps);
    return new DpmMultistepRun(config, grid, input, method, learnedVariance.isLearned());
  }

  private Grid grid(StepPlan plan, NoiseSchedule table, int steps) {
    int last = table.trainSteps() - table.countBelow(lambdaMinClipped);
    SigmaGrid spaced =
        SigmaGrid.at(table, config.spacing().rising(table.trainSteps(), last, steps));
    double end = table.sigma(last - 1);
    if (config.sigmas() != SigmaSpacing.TRAINED) {
      spaced = spaced.respacedRising(config.sigmas(), steps);
      end = spaced.sigmas()[steps - 1];
    } else if (config.flow().used()) {
      spaced = spaced.withFlow(config.flow(), plan);
      end = spaced.sigmas()[steps - 1];
    }
    double[] whole =
        config.sigmas() == SigmaSpacing.KARRAS
            ? LogSnrConfig.rounded(spaced.timesteps())
            : spaced.timesteps();
    double[] distinct = Arrays.stream(whole).distinct().toArray();
    return new Grid(LogSnrConfig.truncated(distinct), spaced.endingAt(end));
  }
}
