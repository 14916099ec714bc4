package io.github.diffusion4j.scheduler;

/** What the DPM-Solver classes demand and have in common. */
final class DpmSupport {

  private DpmSupport() {}

  static void requireDataForClean(DpmMethod method, FinalSigma last) {
    if (last == FinalSigma.ZERO && !method.algorithm().predictsData()) {
      throw new IllegalArgumentException(
          "final_sigmas_type must be sigma_min for algorithm_type %s, got zero"
              .formatted(method.algorithm().configName()));
    }
  }

  static void requireThirdOrder(DpmMethod method) {
    if (method.order() == 3 && method.algorithm() == DpmAlgorithm.SDE_DPM_SOLVER) {
      throw new IllegalArgumentException(
          "solver_order must be 1 or 2 for algorithm_type sde-dpmsolver, got 3");
    }
  }

  static void requireFlow(LogSnrConfig config, DpmMethod method) {
    if (config.prediction() == Prediction.FLOW && !method.algorithm().predictsData()) {
      throw new IllegalArgumentException(
          "prediction_type must be epsilon, sample or v_prediction for algorithm_type %s, got"
                  .formatted(method.algorithm().configName())
              + " flow_prediction");
    }
  }

  /** The default, all of training, is left out: JSON has no infinity. */
  static void writeClipped(ConfigWriter out, double lambdaMinClipped) {
    if (Double.isFinite(lambdaMinClipped)) {
      out.put("lambda_min_clipped", lambdaMinClipped);
    }
  }

  /** Whole timesteps: rounded for Karras' and Lu's spacing, otherwise cut off. */
  static double[] whole(double[] timesteps, SigmaSpacing spacing, boolean rounds) {
    boolean rounding = spacing == SigmaSpacing.KARRAS || spacing == SigmaSpacing.LU;
    return rounds && rounding ? LogSnrConfig.rounded(timesteps) : LogSnrConfig.truncated(timesteps);
  }
}
