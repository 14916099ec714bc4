package io.github.diffusion4j.scheduler;

/** Quantiles without sorting (Hoare's selection). */
public final class Quantile {

  private Quantile() {}

  /**
   * The quantile, linearly interpolated between the two nearest values.
   *
   * @param values at least one; put into another order
   * @param ratio 0 (the least) to 1 (the greatest)
   * @return between the least and the greatest value
   */
  public static double of(float[] values, double ratio) {
    double rank = ratio * (values.length - 1);
    int below = (int) rank;
    float low = select(values, below);
    if (below == rank) {
      return low;
    }
    float high = Float.POSITIVE_INFINITY;
    for (int i = below + 1; i < values.length; i++) {
      high = Math.min(high, values[i]);
    }
    return low + (rank - below) * ((double) high - low);
  }

  private static float select(float[] values, int rank) {
    int left = 0;
    int right = values.length - 1;
    while (left < right) {
      float pivot = values[(left + right) >>> 1];
      int i = left;
      int j = right;
      while (i <= j) {
        while (values[i] < pivot) {
          i++;
        }
        while (values[j] > pivot) {
          j--;
        }
        if (i <= j) {
          float value = values[i];
          values[i++] = values[j];
          values[j--] = value;
        }
      }
      if (rank <= j) {
        right = j;
      } else if (rank >= i) {
        left = i;
      } else {
        return values[rank];
      }
    }
    return values[rank];
  }
}
