package io.github.diffusion4j.scheduler;

/** One generation by UniPC. */
final class UniPcRun extends LogSnrRun {

  private final UniPcScheduler.Method method;
  private final boolean[] corrected;
  private final double[] ratios;
  private final double[] weights;
  private final double[][] matrix;
  private final float[] before = newSample();
  private boolean hasBefore;
  private int order;

  UniPcRun(LogSnrConfig config, UniPcScheduler.Method method, Grid grid, RunInput input) {
    super(config, grid, input, method.predictsData(), method.order() + 1);
    this.method = method;
    corrected = new boolean[grid.evaluations()];
    for (int place = 0; place < corrected.length; place++) {
      corrected[place] = !method.uncorrected().contains(place);
    }
    ratios = new double[method.order()];
    weights = new double[method.order()];
    matrix = new double[method.order()][method.order() + 1];
  }

  @Override
  void advance(float[] m, float[] x) {
    int place = place();
    remember(m, x);
    boolean corrects = place > 0 && hasBefore && corrected[place - 1];
    if (corrects) {
      correct(place, x);
    }
    int most =
        method.lowerOrderFinal()
            ? Math.min(method.order(), grid().timesteps().length - place)
            : method.order();
    order = Math.min(most, Math.min(history().count(), method.order()));
    System.arraycopy(x, 0, before, 0, x.length);
    hasBefore = true;
    predict(place, x);
  }

  /** Equation (3) of the paper: from this place to the next, by the remembered predictions. */
  private void predict(int place, float[] x) {
    double h = lambda(place + 1) - lambda(place);
    double step = prepare(place, h, order - 1);
    double factor = factor(place + 1);
    double ofNewest = -factor * step;
    Combination next = sum().plus(ratio(place, place + 1), x);
    double b = method.exponential() ? step : signed(h);
    if (order == 2) {
      weights[0] = 0.5;
    } else if (order > 2) {
      solve(h, step, order - 1);
    }
    for (int k = 0; k < order - 1; k++) {
      double weight = -factor * b * weights[k] / ratios[k];
      ofNewest -= weight;
      next.plus(weight, history().get(k + 1));
    }
    next.plus(ofNewest, history().get(0)).into(x);
  }

  /** Equation (4) of the paper: the same step again, now that its end is evaluated too. */
  private void correct(int place, float[] x) {
    double h = lambda(place) - lambda(place - 1);
    double step = prepare(place - 1, h, order - 1);
    ratios[order - 1] = 1;
    double factor = factor(place);
    double b = method.exponential() ? step : signed(h);
    if (order == 1) {
      weights[0] = 0.5;
    } else {
      solve(h, step, order);
    }
    double ofBefore = -factor * step;
    Combination next = sum().plus(ratio(place - 1, place), before);
    for (int k = 0; k < order - 1; k++) {
      double weight = -factor * b * weights[k] / ratios[k];
      ofBefore -= weight;
      next.plus(weight, history().get(k + 2));
    }
    double ofNewest = -factor * b * weights[order - 1];
    next.plus(ofNewest, history().get(0)).plus(ofBefore - ofNewest, history().get(1)).into(x);
  }

  /** Places of the older predictions in units of the step; returns exp(±h) - 1. */
  private double prepare(int place, double h, int older) {
    for (int k = 0; k < older; k++) {
      ratios[k] = (lambda(place - k - 1) - lambda(place)) / h;
    }
    return Math.expm1(signed(h));
  }

  private double signed(double h) {
    return predictsData() ? -h : h;
  }

  private double factor(int to) {
    return predictsData() ? alpha(to) : level(to);
  }

  private double ratio(int from, int to) {
    return predictsData() ? level(to) / level(from) : alpha(to) / alpha(from);
  }

  /** The weights that make the step exact for polynomials: a Vandermonde system. */
  private void solve(double h, double step, int size) {
    double hh = signed(h);
    double b = method.exponential() ? step : hh;
    double phi = step / hh - 1;
    double factorial = 1;
    for (int row = 0; row < size; row++) {
      for (int column = 0; column < size; column++) {
        matrix[row][column] = Math.pow(ratios[column], row);
      }
      matrix[row][size] = phi * factorial / b;
      factorial *= row + 2;
      phi = phi / hh - 1 / factorial;
    }
    LinearSystem.solve(matrix, size, weights);
  }
}
