package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

/**
 * Which DPM-Solver.
 *
 * @param order 1 to 3
 * @param algorithm its form
 * @param midpoint whether second order steps are midpoint steps rather than Heun's
 * @param lowerOrderFinal whether the last steps of a short schedule are of lower order
 * @param eulerAtFinal whether the last step is of first order in any schedule
 */
public record DpmMethod(
    int order,
    DpmAlgorithm algorithm,
    boolean midpoint,
    boolean lowerOrderFinal,
    boolean eulerAtFinal) {

  /** Schedules of fewer steps are short. */
  static final int SHORT = 15;

  public DpmMethod {
    Check.between("solver_order", order, 1, 3);
    requireNonNull(algorithm, "algorithm");
  }

  static DpmMethod read(ConfigReader in, boolean lowerOrderFinal, DpmAlgorithm... allowed) {
    return new DpmMethod(
        in.integer("solver_order", 2),
        DpmAlgorithm.read(in, allowed),
        readMidpoint(in),
        in.flag("lower_order_final", lowerOrderFinal),
        false);
  }

  DpmMethod withEulerAtFinal(boolean euler) {
    return new DpmMethod(order, algorithm, midpoint, lowerOrderFinal, euler);
  }

  /** Names of other solvers' types stand for the midpoint. */
  private static boolean readMidpoint(ConfigReader in) {
    String type = in.text("solver_type", "midpoint");
    return switch (type) {
      case "midpoint", "logrho", "bh1", "bh2" -> true;
      case "heun" -> false;
      default -> throw in.wrong("solver_type", type, "one of midpoint, heun");
    };
  }

  void write(ConfigWriter out) {
    out.put("solver_order", order)
        .put("algorithm_type", algorithm)
        .putObject("solver_type", midpoint ? "midpoint" : "heun")
        .put("lower_order_final", lowerOrderFinal);
  }

  /** The order of a multistep method's step. */
  int orderAt(int place, int steps, int remembered, boolean endsClean) {
    boolean brief = lowerOrderFinal && steps < SHORT;
    if (place == steps - 1 && (eulerAtFinal || brief || endsClean)) {
      return 1;
    }
    int most = place == steps - 2 && brief ? Math.min(order, 2) : order;
    return Math.min(most, remembered);
  }
}
