package io.github.diffusion4j;

/** Sums over one image's values of a branch, in double precision. */
final class BranchVectors {

  private BranchVectors() {}

  static double dot(float[] a, int aFrom, float[] b, int bFrom, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) a[aFrom + i] * b[bFrom + i];
    }
    return sum;
  }

  static double norm(float[] values, int from, int count) {
    return Math.sqrt(dot(values, from, values, from, count));
  }

  static double mean(float[] values, int from, int count) {
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += values[i];
    }
    return sum / count;
  }

  /** The standard deviation of a sample, as torch has it: divided by one less than the count. */
  static double deviation(float[] values, int from, int count) {
    double mean = mean(values, from, count);
    double squares = 0;
    for (int i = from; i < from + count; i++) {
      double d = values[i] - mean;
      squares += d * d;
    }
    return Math.sqrt(squares / Math.max(1, count - 1));
  }

  static void multiply(float[] values, int from, int count, float factor) {
    for (int i = from; i < from + count; i++) {
      values[i] *= factor;
    }
  }
}
