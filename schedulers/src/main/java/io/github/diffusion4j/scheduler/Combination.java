package io.github.diffusion4j.scheduler;

import java.util.Arrays;

/**
 * Σ cₖ · arrayₖ over whole samples, in one pass for up to four arrays. A run keeps one and refills
 * it each step, so that stepping allocates nothing. The loops are plain so that they vectorise.
 */
final class Combination {

  private static final int MOST = 12;

  private final float[][] arrays = new float[MOST][];
  private final float[] factors = new float[MOST];
  private final int length;
  private int count;

  Combination(int length) {
    this.length = length;
  }

  /** Starts a new sum. */
  Combination reset() {
    count = 0;
    return this;
  }

  /** Adds a term; a factor of 0 is left out. */
  Combination plus(double factor, float[] array) {
    if (factor != 0) {
      arrays[count] = array;
      factors[count++] = (float) factor;
    }
    return this;
  }

  /** Writes the sum; {@code dst} may be one of the terms. */
  void into(float[] dst) {
    for (int i = 1; i < count; i++) {
      if (arrays[i] == dst) {
        swap(0, i);
      }
    }
    switch (count) {
      case 0 -> Arrays.fill(dst, 0, length, 0f);
      case 1 -> scale(dst, arrays[0]);
      case 2 -> sum(dst, arrays[0], arrays[1]);
      case 3 -> sum(dst, arrays[0], arrays[1], arrays[2]);
      default -> {
        sum(dst, arrays[0], arrays[1], arrays[2], arrays[3]);
        addRest(dst, 4);
      }
    }
  }

  /**
   * One step of a solver: writes the estimate, not clamped, and overwrites {@code x} with the next
   * sample plus the terms added before, which must not be {@code x}. Two loops with one store each,
   * because one loop with two stores does not vectorise.
   */
  void step(float[] x, float[] m, float[] denoised, Update update) {
    apply(update.data(), x, m, denoised);
    plus(update.wholeOfSample(), x).plus(update.wholeOfOutput(), m).into(x);
  }

  /** Writes {@code form(x, m)}. */
  void apply(LinearForm form, float[] x, float[] m, float[] dst) {
    float p = (float) form.sample();
    float q = (float) form.output();
    for (int i = 0; i < length; i++) {
      dst[i] = p * x[i] + q * m[i];
    }
  }

  private void scale(float[] dst, float[] x) {
    float factor = factors[0];
    if (factor == 1f && dst == x) {
      return;
    }
    for (int i = 0; i < length; i++) {
      dst[i] = factor * x[i];
    }
  }

  private void sum(float[] dst, float[] x, float[] y) {
    float a = factors[0];
    float b = factors[1];
    for (int i = 0; i < length; i++) {
      dst[i] = a * x[i] + b * y[i];
    }
  }

  private void sum(float[] dst, float[] x, float[] y, float[] z) {
    float a = factors[0];
    float b = factors[1];
    float c = factors[2];
    for (int i = 0; i < length; i++) {
      dst[i] = a * x[i] + b * y[i] + c * z[i];
    }
  }

  private void sum(float[] dst, float[] x, float[] y, float[] z, float[] w) {
    float a = factors[0];
    float b = factors[1];
    float c = factors[2];
    float d = factors[3];
    for (int i = 0; i < length; i++) {
      dst[i] = a * x[i] + b * y[i] + c * z[i] + d * w[i];
    }
  }

  private void addRest(float[] dst, int from) {
    for (int k = from; k < count; k++) {
      float factor = factors[k];
      float[] x = arrays[k];
      for (int i = 0; i < length; i++) {
        dst[i] += factor * x[i];
      }
    }
  }

  private void swap(int i, int j) {
    float[] array = arrays[i];
    float factor = factors[i];
    arrays[i] = arrays[j];
    factors[i] = factors[j];
    arrays[j] = array;
    factors[j] = factor;
  }
}
