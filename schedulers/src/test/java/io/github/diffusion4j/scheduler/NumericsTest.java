package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The small pieces of numerics, each against a naive or closed form. */
class NumericsTest {

  private static final long SEED = 3;

  @Test
  void quantileIsThatOfTheSortedValues() {
    Random random = new Random(SEED);
    for (int count = 1; count < 60; count++) {
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = random.nextInt(20) / 4f;
      }
      float[] sorted = values.clone();
      Arrays.sort(sorted);
      for (double ratio : new double[] {0, 0.1, 0.5, 0.9, 0.995, 1}) {
        double rank = ratio * (count - 1);
        int below = (int) rank;
        int above = Math.min(below + 1, count - 1);
        double expected = sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
        String what = "seed " + SEED + ", " + count + " values, ratio " + ratio;
        assertEquals(expected, Quantile.of(values.clone(), ratio), 1e-6, what);
      }
    }
  }

  @Test
  void betaQuantilesMeetClosedForms() {
    for (double p = 0.05; p < 1; p += 0.05) {
      double sine = Math.sin(Math.PI * p / 2);
      assertEquals(sine * sine, BetaDistribution.quantile(p, 0.5, 0.5), 1e-12, "arcsine " + p);
      assertEquals(p, BetaDistribution.quantile(p, 1, 1), 1e-12, "uniform " + p);
      assertEquals(Math.sqrt(p), BetaDistribution.quantile(p, 2, 1), 1e-12, "power " + p);
    }
    assertEquals(0, BetaDistribution.quantile(0, 0.6, 0.6));
    assertEquals(1, BetaDistribution.quantile(1, 0.6, 0.6));
  }

  @Test
  void quadratureIsExactForPolynomials() {
    for (int degree = 0; degree <= 31; degree++) {
      double sum = 0;
      for (int node = 0; node < GaussLegendre.COUNT; node++) {
        sum += GaussLegendre.weight(node) * Math.pow(GaussLegendre.node(node), degree);
      }
      assertEquals(1.0 / (degree + 1), sum, 1e-14, "degree " + degree);
    }
  }

  @Test
  void linearSystemsAreSolved() {
    Random random = new Random(SEED);
    for (int size = 1; size <= 5; size++) {
      double[] unknowns = random.doubles(size, -1, 1).toArray();
      double[][] rows = new double[size][size + 1];
      for (double[] row : rows) {
        for (int i = 0; i < size; i++) {
          row[i] = random.nextGaussian();
          row[size] += row[i] * unknowns[i];
        }
      }
      double[] solved = new double[size];
      LinearSystem.solve(rows, size, solved);
      for (int i = 0; i < size; i++) {
        assertEquals(unknowns[i], solved[i], 1e-9, "seed " + SEED + ", size " + size);
      }
    }
  }

  @Test
  void combinationsEqualTheNaiveSum() {
    Random random = new Random(SEED);
    int length = 37;
    for (int terms = 0; terms <= 9; terms++) {
      for (int into = -1; into < terms; into++) {
        float[][] arrays = new float[terms][length];
        double[] factors = new double[terms];
        double[] expected = new double[length];
        Combination sum = new Combination(length).reset();
        for (int k = 0; k < terms; k++) {
          factors[k] = k == 4 ? 0 : random.nextGaussian();
          for (int i = 0; i < length; i++) {
            arrays[k][i] = (float) random.nextGaussian();
            expected[i] += factors[k] * arrays[k][i];
          }
          sum.plus(factors[k], arrays[k]);
        }
        float[] dst = into < 0 ? new float[length] : arrays[into];
        sum.into(dst);
        for (int i = 0; i < length; i++) {
          assertEquals(expected[i], dst[i], 1e-5, terms + " terms into " + into);
        }
      }
    }
  }

  @Test
  void singlestepOrdersAreThoseOfTheReference() {
    record Orders(int steps, int highest, boolean lower, boolean clean, int... orders) {}
    for (Orders expected :
        new Orders[] {
          new Orders(1, 1, false, false, 1),
          new Orders(1, 3, false, true, 1),
          new Orders(2, 3, true, false, 1, 2),
          new Orders(2, 3, true, true, 1, 1),
          new Orders(3, 3, true, false, 1, 2, 1),
          new Orders(3, 3, false, false, 1, 2, 3),
          new Orders(3, 3, false, true, 1, 2, 1),
          new Orders(4, 3, false, false, 1, 2, 3, 1),
          new Orders(5, 3, false, false, 1, 2, 3, 1, 2),
          new Orders(5, 3, false, true, 1, 2, 3, 1, 1),
          new Orders(4, 2, false, false, 1, 2, 1, 2),
          new Orders(4, 2, true, false, 1, 2, 1, 1),
          new Orders(3, 2, false, false, 1, 2, 1)
        }) {
      assertArrayEquals(
          expected.orders,
          DpmSolverSinglestepScheduler.orders(
              expected.steps, expected.highest, expected.lower, expected.clean),
          expected.toString());
    }
  }

  @Test
  void logarithmsInSinglePrecisionAreThoseOfNumPy() {
    assertEquals(2.6820242404937744f, SingleLog.of(14.614647f));
    assertEquals(3.224703550338745f, SingleLog.of(25.146116f));
    assertEquals(-3.534698963165283f, SingleLog.of(0.029167533f));
    assertEquals(1.5011295080184937f, SingleLog.of(4.4867539f));
    assertEquals(-4.605153560638428f, SingleLog.of(0.010000167f));
    assertEquals(0f, SingleLog.of(1f));
    assertEquals(Float.NEGATIVE_INFINITY, SingleLog.of(0f));
  }

  @Test
  void timestepsAndSigmasAreInverse() {
    NoiseSchedule schedule = NoiseSchedule.of(Betas.STABLE_DIFFUSION);
    for (int timestep = 0; timestep < schedule.trainSteps(); timestep++) {
      double found = schedule.timestepOf(schedule.sigmaAt(timestep));
      assertEquals(timestep, found, 1e-3);
    }
    assertEquals(0, schedule.timestepOf(1e-9));
    assertEquals(999, schedule.timestepOf(1e9));
  }
}
