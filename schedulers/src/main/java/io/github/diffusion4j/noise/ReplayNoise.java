package io.github.diffusion4j.noise;

import java.util.ArrayList;
import java.util.List;

/** Hands recorded draws out in order, whatever the interval. */
final class ReplayNoise implements IntervalNoise {

  private final List<float[]> draws = new ArrayList<>();
  private int next;

  ReplayNoise(List<float[]> draws) {
    for (float[] draw : draws) {
      this.draws.add(draw.clone());
    }
  }

  @Override
  public void fill(float[] dst) {
    if (next == draws.size()) {
      throw new IllegalStateException("all " + next + " recorded draws are used up");
    }
    float[] draw = draws.get(next);
    if (draw.length != dst.length) {
      throw new IllegalArgumentException(
          "draw %d holds %d values, asked for %d".formatted(next, draw.length, dst.length));
    }
    System.arraycopy(draw, 0, dst, 0, dst.length);
    next++;
  }

  @Override
  public void fill(float[] dst, double from, double to) {
    fill(dst);
  }
}
