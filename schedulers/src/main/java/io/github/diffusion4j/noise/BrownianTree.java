package io.github.diffusion4j.noise;

import java.util.Arrays;

/**
 * One Brownian path on an interval, looked up at any two times in any order: the same seed gives
 * the same path however finely it is sampled. Each half of an interval is drawn from a generator
 * seeded by its place in the tree of halvings, so nothing need be remembered; the last two times
 * are, because solvers ask for neighbouring intervals. Not thread-safe.
 */
public final class BrownianTree implements IntervalNoise {

  private static final int DEPTH = 20;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final long seed;
  private final double start;
  private final double end;
  private final float[][] paths = {new float[0], new float[0]};
  private final double[] times = {Double.NaN, Double.NaN};
  private final BoxMuller pairs = new BoxMuller();
  private long draws;

  /**
   * A path.
   *
   * @param seed any number
   * @param start one end of the time axis
   * @param end the other end, different from {@code start}
   */
  public BrownianTree(long seed, double start, double end) {
    if (!(Math.abs(end - start) > 0) || Double.isInfinite(end - start)) {
      throw new IllegalArgumentException(
          "start and end must be different numbers, got " + start + " and " + end);
    }
    this.seed = seed;
    this.start = Math.min(start, end);
    this.end = Math.max(start, end);
  }

  /** Draws noise that is independent of the path. */
  @Override
  public void fill(float[] dst) {
    addNormals(mix(~seed ^ mix(++draws)), clear(dst), 1);
  }

  @Override
  public void fill(float[] dst, double from, double to) {
    if (from == to) {
      throw new IllegalArgumentException("from and to must differ, got " + from);
    }
    int first = times[0] == from || times[1] == to ? 0 : 1;
    float[] before = path(first, from, dst.length);
    float[] after = path(1 - first, to, dst.length);
    float scale = (float) (1 / Math.sqrt(Math.abs(to - from)));
    for (int i = 0; i < dst.length; i++) {
      dst[i] = (after[i] - before[i]) * scale;
    }
  }

  /** The path's values at a time, in one of the two arrays kept. */
  private float[] path(int slot, double time, int length) {
    if (paths[slot].length != length) {
      paths[slot] = new float[length];
      times[slot] = Double.NaN;
    }
    if (times[slot] != time) {
      locate(clear(paths[slot]), time);
      times[slot] = time;
    }
    return paths[slot];
  }

  /**
   * Adds the path's value at a time. Walks down from the whole interval; at each halving the middle
   * is the mean of the ends plus independent noise (Brownian bridge), of which the walk needs only
   * how much of each draw reaches the time asked for.
   */
  private void locate(float[] dst, double time) {
    double position = Math.min(Math.max((time - start) / (end - start), 0), 1);
    double length = end - start;
    addNormals(mix(seed), dst, position * Math.sqrt(length));
    double from = 0;
    double width = 1;
    long node = 1;
    for (int level = 0; level < DEPTH && position > from && position < from + width; level++) {
      double middle = from + width / 2;
      double reach = 1 - Math.abs(position - middle) / (width / 2);
      addNormals(mix(seed ^ node * GOLDEN), dst, reach * Math.sqrt(length * width) / 2);
      node *= 2;
      width /= 2;
      if (position > middle) {
        from = middle;
        node++;
      }
    }
  }

  private static float[] clear(float[] values) {
    Arrays.fill(values, 0f);
    return values;
  }

  private void addNormals(long state, float[] dst, double scale) {
    for (int from = 0; from < dst.length; from += 2 * BoxMuller.CAPACITY) {
      int count = Math.min(2 * BoxMuller.CAPACITY, dst.length - from);
      int half = (count + 1) / 2;
      for (int pair = 0; pair < half; pair++) {
        long place = from + 2L * pair;
        double u = ((mix(state + (place + 1) * GOLDEN) >>> 11) + 0.5) * 0x1p-53;
        double v = (mix(state + (place + 2) * GOLDEN) >>> 11) * 0x1p-53;
        pairs.set(pair, u, 2 * Math.PI * v);
      }
      pairs.transform(half);
      for (int i = 0; i < count; i++) {
        double value = i % 2 == 0 ? pairs.cosine(i / 2) : pairs.sine(i / 2);
        dst[from + i] += (float) (scale * value);
      }
    }
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
