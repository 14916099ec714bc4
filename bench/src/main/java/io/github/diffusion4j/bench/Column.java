package io.github.diffusion4j.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.function.Function;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Optional;

/**
 * One measured figure of a table.
 *
 * @param title head of the column
 * @param source the figure, none where a benchmark lacks it
 */
record Column(String title, Function<RunResult, Optional<Result<?>>> source) {

  private static final int DIGITS = 4;
  private static final int ERROR_DIGITS = 2;

  /** JMH's score. */
  static Column score() {
    return new Column("score", result -> Optional.of(result.getPrimaryResult()));
  }

  /** A figure that a profiler has added. */
  static Column added(String title, String label) {
    return new Column(
        title,
        result -> {
          Result<?> added = result.getSecondaryResults().get(label);
          return added == null ? Optional.none() : Optional.of(added);
        });
  }

  boolean has(RunResult result) {
    return source.apply(result).hasValue();
  }

  /** The figure with its 99.9 % confidence interval and unit. */
  String cell(RunResult result) {
    return has(result) ? text(source.apply(result).get()) : "";
  }

  private static String text(Result<?> figure) {
    double error = figure.getScoreError();
    String margin = Double.isNaN(error) ? "" : " ± " + rounded(error, ERROR_DIGITS);
    return rounded(figure.getScore(), DIGITS) + margin + " " + figure.getScoreUnit();
  }

  /** So many digits that count, without an exponent; whole numbers keep theirs. */
  static String rounded(double value, int digits) {
    if (!Double.isFinite(value)) {
      return Double.toString(value);
    }
    int before = BigDecimal.valueOf(Math.abs(value)).toBigInteger().toString().length();
    return new BigDecimal(value)
        .round(new MathContext(Math.max(digits, before)))
        .stripTrailingZeros()
        .toPlainString();
  }
}
