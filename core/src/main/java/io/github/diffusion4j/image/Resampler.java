package io.github.diffusion4j.image;

/**
 * Two-pass resampling of 8 bit levels in fixed point, with Pillow's precision and order of passes,
 * so that every level is the same.
 */
final class Resampler {

  /** Fraction bits of the weights: 32 less 8 of the level less 2 for sums outside 0 to 1. */
  private static final int PRECISION = 32 - 8 - 2;

  private final Resampling filter;

  Resampler(Resampling filter) {
    this.filter = filter;
  }

  Raster8 resize(Raster8 from, int width, int height) {
    if (filter == Resampling.NEAREST) {
      return nearest(from, width, height);
    }
    return vertical(horizontal(from, width), height);
  }

  /** Which source pixels make a target pixel, and how much of each. */
  private record Weights(int first, int[] fixed) {}

  private Weights[] weights(int inSize, int outSize) {
    double scale = (double) inSize / outSize;
    double widening = Math.max(scale, 1);
    double support = filter.support() * widening;
    Weights[] all = new Weights[outSize];
    for (int out = 0; out < outSize; out++) {
      double center = (out + 0.5) * scale;
      int first = Math.max((int) (center - support + 0.5), 0);
      int end = Math.min((int) (center + support + 0.5), inSize);
      double[] exact = new double[end - first];
      double sum = 0;
      for (int i = 0; i < exact.length; i++) {
        exact[i] = filter.weight((i + first - center + 0.5) * (1 / widening));
        sum += exact[i];
      }
      all[out] = new Weights(first, fixed(exact, sum));
    }
    return all;
  }

  private static int[] fixed(double[] exact, double sum) {
    int[] fixed = new int[exact.length];
    for (int i = 0; i < exact.length; i++) {
      double weight = sum == 0 ? exact[i] : exact[i] / sum;
      fixed[i] = (int) (weight * (1 << PRECISION) + (weight < 0 ? -0.5 : 0.5));
    }
    return fixed;
  }

  private Raster8 horizontal(Raster8 from, int width) {
    if (from.width() == width) {
      return from;
    }
    Weights[] weights = weights(from.width(), width);
    int channels = from.channels();
    byte[] in = from.levels();
    byte[] out = new byte[Math.multiplyExact(width, from.height() * channels)];
    for (int y = 0, at = 0; y < from.height(); y++) {
      int row = y * from.width() * channels;
      for (int x = 0; x < width; x++) {
        int start = row + weights[x].first() * channels;
        for (int channel = 0; channel < channels; channel++, at++) {
          out[at] = sum(in, start + channel, channels, weights[x].fixed());
        }
      }
    }
    return new Raster8(width, from.height(), channels, out);
  }

  private Raster8 vertical(Raster8 from, int height) {
    if (from.height() == height) {
      return from;
    }
    Weights[] weights = weights(from.height(), height);
    int row = from.width() * from.channels();
    byte[] in = from.levels();
    byte[] out = new byte[Math.multiplyExact(row, height)];
    for (int y = 0, at = 0; y < height; y++) {
      int start = weights[y].first() * row;
      for (int i = 0; i < row; i++, at++) {
        out[at] = sum(in, start + i, row, weights[y].fixed());
      }
    }
    return new Raster8(from.width(), height, from.channels(), out);
  }

  private static byte sum(byte[] in, int start, int step, int[] weights) {
    int sum = 1 << (PRECISION - 1);
    for (int i = 0, at = start; i < weights.length; i++, at += step) {
      sum += (in[at] & 0xff) * weights[i];
    }
    return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
  }

  private static Raster8 nearest(Raster8 from, int width, int height) {
    int[] columns = nearest(from.width(), width);
    int[] rows = nearest(from.height(), height);
    int channels = from.channels();
    byte[] out = new byte[Math.multiplyExact(width, Math.multiplyExact(height, channels))];
    for (int y = 0, at = 0; y < height; y++) {
      for (int x = 0; x < width; x++, at += channels) {
        int source = (rows[y] * from.width() + columns[x]) * channels;
        System.arraycopy(from.levels(), source, out, at, channels);
      }
    }
    return new Raster8(width, height, channels, out);
  }

  /**
   * Positions are summed up step by step: the reference's rounding errors are part of its answer.
   */
  private static int[] nearest(int inSize, int outSize) {
    double step = (double) inSize / outSize;
    double position = step * 0.5;
    int[] sources = new int[outSize];
    for (int out = 0; out < outSize; out++) {
      sources[out] = Math.min((int) position, inSize - 1);
      position += step;
    }
    return sources;
  }
}
