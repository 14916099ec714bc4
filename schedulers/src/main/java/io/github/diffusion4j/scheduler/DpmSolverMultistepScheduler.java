package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * DPM-Solver and DPM-Solver++ as multistep methods of order 1 to 3 (Lu et al. 2022), also for their
 * stochastic differential equation: one evaluation a step.
 *
 * @param config the model and its schedule
 * @param method which DPM-Solver
 * @param last where the last step goes; a clean sample needs a method on predicted data
 * @param lambdaMinClipped least log signal to noise ratio of training that is used; -infinity: all
 * @param learnedVariance whether the model also predicts a variance, which is not used
 */
public record DpmSolverMultistepScheduler(
    LogSnrConfig config,
    DpmMethod method,
    FinalSigma last,
    double lambdaMinClipped,
    LearnedVariance learnedVariance)
    implements TrainedScheduler {

  static final String CLASS_NAME = "DPMSolverMultistepScheduler";

  public DpmSolverMultistepScheduler {
    requireNonNull(config, "config");
    requireNonNull(method, "method");
    requireNonNull(last, "last");
    requireNonNull(learnedVariance, "learnedVariance");
    DpmSupport.requireDataForClean(method, last);
    DpmSupport.requireThirdOrder(method);
    DpmSupport.requireFlow(config, method);
  }

  static DpmSolverMultistepScheduler read(ConfigReader in) {
    return new DpmSolverMultistepScheduler(
        LogSnrConfig.read(
            in,
            Betas.readWithRescale(in, Betas.LINEAR),
            SigmaSpacing.readWithLu(in),
            FlowSigmas.readDynamic(in)),
        DpmMethod.read(in, true).withEulerAtFinal(in.flag("euler_at_final", false)),
        in.choice("final_sigmas_type", FinalSigma.ZERO),
        in.real("lambda_min_clipped", Double.NEGATIVE_INFINITY),
        in.choice("variance_type", LearnedVariance.NONE));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.betas().writeWithRescale(out);
    config.write(out);
    config.sigmas().writeWithLu(out);
    config.flow().writeDynamic(out);
    method.write(out);
    out.put("euler_at_final", method.eulerAtFinal()).put("final_sigmas_type", last);
    DpmSupport.writeClipped(out, lambdaMinClipped);
    return out.putObject("variance_type", learnedVariance.configValue()).toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.withFiniteSigmas(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    config.flow().factor(plan);
    NoiseSchedule table = noiseSchedule();
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, table, lambdaMinClipped);
    boolean rounds = config.betas().schedule() != BetaSchedule.COSINE;
    Grid grid =
        new Grid(
            DpmSupport.whole(spaced.timesteps(), config.sigmas(), rounds),
            spaced.endingAt(last == FinalSigma.ZERO ? 0 : table.firstSigma()));
    return new DpmMultistepRun(config, grid, input, method, learnedVariance.isLearned());
  }
}
