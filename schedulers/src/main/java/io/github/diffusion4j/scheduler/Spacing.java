package io.github.diffusion4j.scheduler;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * Which of the training steps are taken.
 *
 * @param kind how they are chosen
 * @param offset added to each timestep of leading spacing
 */
public record Spacing(TimestepSpacing kind, int offset) {

  public Spacing {
    requireNonNull(kind, "kind");
    Check.atLeast("steps_offset", offset, 0);
  }

  static Spacing read(ConfigReader in, TimestepSpacing missing, TimestepSpacing... allowed) {
    return new Spacing(
        in.choice("timestep_spacing", missing, allowed), in.integer("steps_offset", 0));
  }

  void write(ConfigWriter out) {
    out.put("timestep_spacing", kind).put("steps_offset", offset);
  }

  /** Whole timesteps from noise to data, both ends of training included. */
  double[] whole(int trainSteps, int count) {
    return switch (kind) {
      case LINSPACE -> reversed(linspace(0, trainSteps - 1, count), Math::rint);
      case LEADING -> leading(trainSteps / count, count);
      case TRAILING -> trailing(trainSteps, (double) trainSteps / count, count);
    };
  }

  /** As {@link #whole}, but evenly spaced timesteps keep their fractions in single precision. */
  double[] fractional(int trainSteps, int count) {
    return kind == TimestepSpacing.LINSPACE
        ? reversed(linspace(0, trainSteps - 1, count), t -> (float) t)
        : whole(trainSteps, count);
  }

  /** Whole timesteps without the end at the data, of which only the first {@code last} are used. */
  double[] withoutEnd(int trainSteps, int last, int count) {
    return switch (kind) {
      case LINSPACE -> head(reversed(linspace(0, last - 1, count + 1), Math::rint), count);
      case LEADING -> head(leading(last / (count + 1), count + 1), count);
      case TRAILING -> trailing(last, (double) trainSteps / count, count);
    };
  }

  /** Whole timesteps from data to noise, without the end at the noise. */
  double[] rising(int trainSteps, int last, int count) {
    return switch (kind) {
      case LINSPACE -> {
        double[] all = linspace(0, last - 1, count + 1);
        yield head(reversed(reversed(all, Math::rint), t -> t), count);
      }
      case LEADING -> head(reversed(leading(last / (count + 1), count + 1), t -> t), count);
      case TRAILING -> reversed(trailing(last, (double) trainSteps / count, count), t -> t);
    };
  }

  private double[] leading(int ratio, int count) {
    double[] timesteps = new double[count];
    for (int i = 0; i < count; i++) {
      timesteps[i] = (double) (count - 1 - i) * ratio + offset;
    }
    return timesteps;
  }

  /** The reference can come out one timestep longer by rounding, at -1, which is left out here. */
  private static double[] trailing(int from, double ratio, int count) {
    int length = Math.min(count, (int) Math.ceil(from / ratio));
    double[] timesteps = new double[length];
    double step = (from - ratio) - from;
    for (int i = 0; i < length; i++) {
      timesteps[i] = Math.rint(from + i * step) - 1;
    }
    return timesteps;
  }

  /** Even spacing in double, both ends included. */
  static double[] linspace(double from, double to, int count) {
    double[] values = new double[count];
    double step = (to - from) / Math.max(count - 1, 1);
    for (int i = 0; i < count; i++) {
      values[i] = i * step + from;
    }
    if (count > 1) {
      values[count - 1] = to;
    }
    return values;
  }

  static double[] reversed(double[] values, DoubleUnaryOperator map) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = map.applyAsDouble(values[values.length - 1 - i]);
    }
    return result;
  }

  private static double[] head(double[] values, int count) {
    return Arrays.copyOf(values, count);
  }
}
