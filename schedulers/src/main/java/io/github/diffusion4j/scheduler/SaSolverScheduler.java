package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Map;

/**
 * Stochastic Adams predictor-corrector (Xue et al. 2023), which adds noise between the timesteps
 * 200 and 800: one evaluation and one draw of noise a step.
 *
 * @param config the model and its schedule
 * @param predictorOrder 1 to 4
 * @param correctorOrder 1 to 4
 * @param predictsData whether steps are made of predicted data rather than noise
 * @param lowerOrderFinal whether the last steps are of lower order
 * @param lambdaMinClipped least log signal to noise ratio of training that is used; -infinity: all
 * @param learnedVariance whether the model also predicts a variance, which is not used
 */
public record SaSolverScheduler(
    LogSnrConfig config,
    int predictorOrder,
    int correctorOrder,
    boolean predictsData,
    boolean lowerOrderFinal,
    double lambdaMinClipped,
    LearnedVariance learnedVariance)
    implements TrainedScheduler {

  static final String CLASS_NAME = "SASolverScheduler";

  public SaSolverScheduler {
    requireNonNull(config, "config");
    requireNonNull(learnedVariance, "learnedVariance");
    Check.between("predictor_order", predictorOrder, 1, 4);
    Check.between("corrector_order", correctorOrder, 1, 4);
    if (config.prediction() == Prediction.FLOW && !predictsData) {
      throw new IllegalArgumentException(
          "prediction_type must be epsilon, sample or v_prediction for algorithm_type"
              + " noise_prediction, got flow_prediction");
    }
  }

  static SaSolverScheduler read(ConfigReader in) {
    if (!in.text("tau_func", "").isEmpty()) {
      throw in.wrong("tau_func", in.text("tau_func", ""), "null");
    }
    return new SaSolverScheduler(
        LogSnrConfig.read(
            in, Betas.read(in, Betas.LINEAR), SigmaSpacing.read(in), FlowSigmas.read(in)),
        in.integer("predictor_order", 2),
        in.integer("corrector_order", 2),
        !in.either("algorithm_type", "data_prediction", "noise_prediction"),
        in.flag("lower_order_final", true),
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
    out.put("predictor_order", predictorOrder)
        .put("corrector_order", correctorOrder)
        .putObject("algorithm_type", predictsData ? "data_prediction" : "noise_prediction")
        .put("lower_order_final", lowerOrderFinal)
        .putObject("tau_func", null);
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
    Plans.count(plan, CLASS_NAME);
    NoiseSchedule table = noiseSchedule();
    SigmaGrid spaced = config.grid(plan, CLASS_NAME, table, lambdaMinClipped);
    Grid grid =
        new Grid(
            DpmSupport.whole(spaced.timesteps(), config.sigmas(), true),
            spaced.endingAt(config.lastSigma(table, spaced)));
    return new SaSolverRun(this, grid, input);
  }
}
