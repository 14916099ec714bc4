package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

/**
 * What the solvers share that step in the logarithm of signal over noise.
 *
 * @param betas the model's training
 * @param spacing which training steps are taken
 * @param prediction what the model predicts
 * @param clamp what is done to each estimate of the data
 * @param sigmas how the noise levels are spaced
 * @param flow how flow matching models are sampled
 */
public record LogSnrConfig(
    Betas betas,
    Spacing spacing,
    Prediction prediction,
    SampleClamp clamp,
    SigmaSpacing sigmas,
    FlowSigmas flow) {

  private static final Prediction[] PREDICTIONS = {
    Prediction.EPSILON, Prediction.SAMPLE, Prediction.V, Prediction.FLOW
  };

  public LogSnrConfig {
    requireNonNull(betas, "betas");
    requireNonNull(spacing, "spacing");
    requireNonNull(prediction, "prediction");
    requireNonNull(clamp, "clamp");
    requireNonNull(sigmas, "sigmas");
    requireNonNull(flow, "flow");
  }

  static LogSnrConfig read(ConfigReader in, Betas betas, SigmaSpacing sigmas, FlowSigmas flow) {
    return read(in, betas, sigmas, flow, Spacing.read(in, TimestepSpacing.LINSPACE));
  }

  /** Of a class whose timesteps are always evenly spaced. */
  static LogSnrConfig readUnspaced(
      ConfigReader in, Betas betas, SigmaSpacing sigmas, FlowSigmas flow) {
    return read(in, betas, sigmas, flow, new Spacing(TimestepSpacing.LINSPACE, 0));
  }

  private static LogSnrConfig read(
      ConfigReader in, Betas betas, SigmaSpacing sigmas, FlowSigmas flow, Spacing spacing) {
    return new LogSnrConfig(
        betas,
        spacing,
        in.choice("prediction_type", Prediction.EPSILON, PREDICTIONS),
        SampleClamp.readThreshold(in),
        sigmas,
        flow);
  }

  LogSnrConfig unclamped() {
    return new LogSnrConfig(betas, spacing, prediction, SampleClamp.NONE, sigmas, flow);
  }

  void writeUnspaced(ConfigWriter out) {
    clamp.writeThreshold(out);
    out.put("prediction_type", prediction);
  }

  /** Writes all but the betas, the spacing of sigmas and flow matching. */
  void write(ConfigWriter out) {
    spacing.write(out);
    writeUnspaced(out);
  }

  /** Timesteps and sigmas of a plan, falling, without the last sigma. */
  SigmaGrid grid(StepPlan plan, String className, NoiseSchedule table, double lambdaMin) {
    if (plan instanceof StepPlan.Timesteps custom) {
      Plans.requireTrained(sigmas, custom);
      double[] timesteps = truncated(Grid.toArray(custom.timesteps()));
      SigmaGrid chosen = SigmaGrid.at(table, timesteps);
      return flow.used() ? chosen.withFlow(flow, plan) : chosen;
    }
    int steps = Plans.count(plan, className);
    int last = table.trainSteps() - table.countBelow(lambdaMin);
    SigmaGrid chosen = SigmaGrid.at(table, spacing.withoutEnd(table.trainSteps(), last, steps));
    if (sigmas != SigmaSpacing.TRAINED) {
      return chosen.respacedOverAll(sigmas, steps);
    }
    return flow.used() ? chosen.withFlow(flow, plan) : chosen;
  }

  /** Where the last step goes that cannot end at a clean sample. */
  double lastSigma(NoiseSchedule table, SigmaGrid spaced) {
    boolean trained = sigmas == SigmaSpacing.TRAINED && !flow.used();
    return trained ? table.firstSigma() : spaced.sigmas()[spaced.count() - 1];
  }

  static double[] truncated(double[] timesteps) {
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = (long) timesteps[i];
    }
    return timesteps;
  }

  static double[] rounded(double[] timesteps) {
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = Math.rint(timesteps[i]);
    }
    return timesteps;
  }
}
