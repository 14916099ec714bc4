package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Unified predictor-corrector (Zhao et al. 2023): each evaluation first corrects the sample it was
 * made for, then predicts the next; one evaluation a step.
 *
 * @param config the model and its schedule
 * @param method which UniPC
 * @param min least sigma of Karras and other spacings; empty: of training
 * @param max greatest sigma of Karras and other spacings; empty: of training
 * @param last where the last step goes
 */
public record UniPcScheduler(
    LogSnrConfig config, Method method, OptionalDouble min, OptionalDouble max, FinalSigma last)
    implements TrainedScheduler {

  static final String CLASS_NAME = "UniPCMultistepScheduler";

  private static final double BELOW_ONE = 1e-6;

  /**
   * Which UniPC.
   *
   * @param order at least 1
   * @param exponential whether B(h) is exp(h) - 1 (bh2) rather than h (bh1)
   * @param predictsData whether steps are made of predicted data rather than noise
   * @param lowerOrderFinal whether the last steps are of lower order
   * @param uncorrected steps, from 0, whose result is not corrected
   */
  public record Method(
      int order,
      boolean exponential,
      boolean predictsData,
      boolean lowerOrderFinal,
      List<Integer> uncorrected) {

    private static final int HIGHEST = 8;

    public Method {
      Check.between("solver_order", order, 1, HIGHEST);
      uncorrected = List.copyOf(uncorrected);
    }

    static Method read(ConfigReader in) {
      String type = in.text("solver_type", "bh2");
      if (!List.of("bh1", "bh2", "midpoint", "heun", "logrho").contains(type)) {
        throw in.wrong("solver_type", type, "one of bh1, bh2");
      }
      if (!in.text("solver_p", "").isEmpty()) {
        throw in.wrong("solver_p", in.text("solver_p", ""), "null");
      }
      return new Method(
          in.integer("solver_order", 2),
          !type.equals("bh1"),
          in.flag("predict_x0", true),
          in.flag("lower_order_final", true),
          in.reals("disable_corrector").stream().map(Double::intValue).toList());
    }

    void write(ConfigWriter out) {
      out.put("solver_order", order)
          .putObject("solver_type", exponential ? "bh2" : "bh1")
          .put("predict_x0", predictsData)
          .put("lower_order_final", lowerOrderFinal)
          .putObject("disable_corrector", uncorrected)
          .putObject("solver_p", null);
    }
  }

  public UniPcScheduler {
    requireNonNull(config, "config");
    requireNonNull(method, "method");
    requireNonNull(last, "last");
    min.ifPresent(sigma -> Check.positive("sigma_min", sigma));
    max.ifPresent(sigma -> Check.positive("sigma_max", sigma));
    if (config.prediction() == Prediction.FLOW && !method.predictsData) {
      throw new IllegalArgumentException(
          "prediction_type must be epsilon, sample or v_prediction where predict_x0 is false, got"
              + " flow_prediction");
    }
  }

  static UniPcScheduler read(ConfigReader in) {
    return new UniPcScheduler(
        LogSnrConfig.read(
            in,
            Betas.readWithRescale(in, Betas.LINEAR),
            SigmaSpacing.read(in),
            FlowSigmas.readDynamic(in).withTerminal(in.optional("shift_terminal"))),
        Method.read(in),
        in.optional("sigma_min"),
        in.optional("sigma_max"),
        in.choice("final_sigmas_type", FinalSigma.ZERO));
  }

  @Override
  public Map<String, Object> toConfig() {
    ConfigWriter out = new ConfigWriter(CLASS_NAME);
    config.betas().writeWithRescale(out);
    config.write(out);
    config.sigmas().write(out);
    config.flow().writeDynamic(out);
    method.write(out);
    return out.put("shift_terminal", config.flow().terminal())
        .put("sigma_min", min)
        .put("sigma_max", max)
        .put("final_sigmas_type", last)
        .toMap();
  }

  @Override
  public NoiseSchedule noiseSchedule() {
    return NoiseSchedule.withFiniteSigmas(config.betas());
  }

  @Override
  public SchedulerRun start(StepPlan plan, SampleShape shape, NoiseSource noise) {
    RunInput input = new RunInput(plan, shape, noise);
    if (config.flow().dynamic() && plan.options().shift().isEmpty()) {
      throw new IllegalArgumentException(
          "mu must be given by withShift where use_dynamic_shifting is true, got none");
    }
    // The reference clamps estimates of the data only where steps are made of them.
    LogSnrConfig used = method.predictsData ? config : config.unclamped();
    return new UniPcRun(used, method, grid(plan, noiseSchedule()), input);
  }

  private Grid grid(StepPlan plan, NoiseSchedule table) {
    boolean plain = config.sigmas() == SigmaSpacing.TRAINED;
    if (plain && config.flow().used()) {
      return flowGrid(plan, table.trainSteps());
    }
    int steps = Plans.count(plan, CLASS_NAME);
    SigmaGrid spaced =
        SigmaGrid.at(
            table, config.spacing().withoutEnd(table.trainSteps(), table.trainSteps(), steps));
    if (plain) {
      double end = last == FinalSigma.ZERO ? 0 : table.firstSigma();
      return new Grid(spaced.timesteps(), spaced.endingAt(end));
    }
    spaced = spaced.respacedOverAll(config.sigmas(), steps, min, max);
    double[] timesteps = DpmSupport.whole(spaced.timesteps(), config.sigmas(), true);
    if (config.flow().used() && config.sigmas() == SigmaSpacing.KARRAS) {
      double[] levels = Arrays.stream(spaced.sigmas()).map(s -> s / (s + 1)).toArray();
      spaced = spaced.withSigmas(levels);
      timesteps =
          LogSnrConfig.truncated(Arrays.stream(levels).map(s -> s * table.trainSteps()).toArray());
    }
    double end = last == FinalSigma.ZERO ? 0 : spaced.sigmas()[steps - 1];
    return new Grid(timesteps, spaced.endingAt(end));
  }

  private Grid flowGrid(StepPlan plan, int trainSteps) {
    double[] levels;
    if (plan instanceof StepPlan.Sigmas custom) {
      Plans.requireNoTimesteps(custom, CLASS_NAME);
      levels = Grid.toArray(custom.sigmas());
    } else {
      int steps = Plans.count(plan, CLASS_NAME);
      levels = Arrays.copyOf(Spacing.linspace(1, 1.0 / trainSteps, steps + 1), steps);
    }
    FlowSigmas flow = config.flow();
    double factor = flow.dynamic() ? flow.factor(plan) : flow.shift();
    for (int i = 0; i < levels.length; i++) {
      levels[i] = TimeShift.shifted(levels[i], factor);
    }
    TimeShift.stretch(levels, flow.terminal());
    if (Math.abs(levels[0] - 1) < BELOW_ONE) {
      levels[0] -= BELOW_ONE;
    }
    double[] timesteps = new double[levels.length];
    double[] sigmas = Arrays.copyOf(levels, levels.length + 1);
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = levels[i] * trainSteps;
    }
    sigmas[levels.length] = last == FinalSigma.ZERO ? 0 : levels[levels.length - 1];
    return new Grid(LogSnrConfig.truncated(timesteps), Grid.toSingle(sigmas));
  }
}
