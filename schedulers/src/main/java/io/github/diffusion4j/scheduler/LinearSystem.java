package io.github.diffusion4j.scheduler;

/** Small systems of linear equations, by elimination with row pivots. */
final class LinearSystem {

  private LinearSystem() {}

  /**
   * Solves for the unknowns.
   *
   * @param rows coefficients and right-hand side of each equation; overwritten
   * @param size number of equations, which may be less than the rows have room for
   * @param unknowns overwritten
   */
  static void solve(double[][] rows, int size, double[] unknowns) {
    for (int column = 0; column < size; column++) {
      int pivot = column;
      for (int row = column + 1; row < size; row++) {
        if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) {
          pivot = row;
        }
      }
      double[] swapped = rows[pivot];
      rows[pivot] = rows[column];
      rows[column] = swapped;
      for (int row = column + 1; row < size; row++) {
        double factor = rows[row][column] / rows[column][column];
        for (int k = column; k <= size; k++) {
          rows[row][k] -= factor * rows[column][k];
        }
      }
    }
    for (int row = size - 1; row >= 0; row--) {
      double rest = rows[row][size];
      for (int k = row + 1; k < size; k++) {
        rest -= rows[row][k] * unknowns[k];
      }
      unknowns[row] = rest / rows[row][row];
    }
  }
}
