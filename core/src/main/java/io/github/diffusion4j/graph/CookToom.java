package io.github.diffusion4j.graph;

/**
 * Sums of a sliding kernel of 3 taps by fewer products: factors of the cells and of the taps, whose
 * products are summed to the results. The transforms are those of Cook and Toom (Blahut 2010, Fast
 * Algorithms for Signal Processing, chapter 5): polynomials taken at points, infinity the last.
 *
 * @param cells from a tile's cells to factors [products, products]
 * @param taps from the kernel's taps to factors [products, 3]
 * @param results from products to results [products, results]
 */
record CookToom(double[][] cells, double[][] taps, double[][] results) {

  static final int TAPS = 3;

  /** Two results by 4 products. */
  static final CookToom TWO = of(0, 1, -1);

  /**
   * Four results by 6 products. The points are a root and its inverse, so that no power of one is
   * much larger than of another: errors are half of those with ±1 and ±2 (as Barabasz et al. 2020,
   * arXiv 1803.10986, found for such sets).
   */
  static final CookToom FOUR = of(0, Math.sqrt(0.5), -Math.sqrt(0.5), Math.sqrt(2), -Math.sqrt(2));

  private static CookToom of(double... points) {
    double[][] taps = powers(points, TAPS);
    for (int i = 0; i < points.length; i++) {
      double divisor = 1;
      for (int j = 0; j < points.length; j++) {
        divisor *= i == j ? 1 : points[i] - points[j];
      }
      for (int k = 0; k < TAPS; k++) {
        taps[i][k] /= divisor;
      }
    }
    return new CookToom(zeros(points), taps, powers(points, points.length + 2 - TAPS));
  }

  /** Powers of each point; of infinity the highest alone. */
  private static double[][] powers(double[] points, int count) {
    double[][] rows = new double[points.length + 1][count];
    for (int i = 0; i < points.length; i++) {
      for (int k = 0; k < count; k++) {
        rows[i][k] = Math.pow(points[i], k);
      }
    }
    rows[points.length][count - 1] = 1;
    return rows;
  }

  /** Coefficients of the polynomials that are zero at all points but one, and at all. */
  private static double[][] zeros(double[] points) {
    double[][] rows = new double[points.length + 1][points.length + 1];
    for (int i = 0; i < rows.length; i++) {
      rows[i][0] = 1;
      for (int j = 0; j < points.length; j++) {
        for (int k = points.length; i != j && k >= 0; k--) {
          rows[i][k] = (k == 0 ? 0 : rows[i][k - 1]) - points[j] * rows[i][k];
        }
      }
    }
    return rows;
  }

  int outputs() {
    return results[0].length;
  }

  int products() {
    return taps.length;
  }

  /**
   * A transform of planes, from one of rows and one of columns.
   *
   * @param down of the rows
   * @param right of the columns
   * @return row-major [rows of both, columns of both]
   */
  static float[] plane(double[][] down, double[][] right) {
    int height = down[0].length;
    int width = right[0].length;
    float[] plane = new float[down.length * right.length * height * width];
    int at = 0;
    for (double[] a : down) {
      for (double[] b : right) {
        for (int i = 0; i < height * width; i++) {
          plane[at++] = (float) (a[i / width] * b[i % width]);
        }
      }
    }
    return plane;
  }
}
