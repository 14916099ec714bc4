package io.github.diffusion4j.bench;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What a process holds as it paints one picture after the other, and whether that grows. */
final class SoakSeries {

  /** Growth of resident memory from the second quarter to the last that counts as a leak. */
  static final double TOLERATED_GROWTH = 0.05;

  /** Fewer samples say nothing of growth. */
  static final int FEWEST_SAMPLES = 16;

  private static final double MIB = 1L << 20;
  private static final int QUARTERS = 4;

  private final List<Sample> samples = new ArrayList<>();

  /**
   * One look at the process.
   *
   * @param picture pictures painted so far
   * @param passed time since the first began
   * @param resident bytes in memory, pages of files not counted
   * @param heap bytes used on the Java heap, garbage among them
   * @param direct bytes of direct buffers, those not yet collected among them
   * @param buffers number of direct buffers
   * @param opened native objects open between two pictures beyond those of the loaded model
   */
  record Sample(
      int picture,
      Duration passed,
      long resident,
      long heap,
      long direct,
      long buffers,
      int opened) {

    static final String TITLES =
        "picture, seconds, resident MiB, heap MiB, direct MiB, direct buffers, native objects";

    /** A look at this process. */
    static Sample now(int picture, Duration passed, int opened) throws IOException {
      ProcessMemory memory = ProcessMemory.now();
      BufferPoolMXBean direct =
          ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
              .filter(pool -> pool.getName().equals("direct"))
              .findFirst()
              .orElseThrow();
      return new Sample(
          picture,
          passed,
          memory.resident() - memory.files(),
          ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
          direct.getMemoryUsed(),
          direct.getCount(),
          opened);
    }

    @Override
    public String toString() {
      return "%d, %d, %.0f, %.0f, %.1f, %d, %d"
          .formatted(
              picture,
              passed.toSeconds(),
              resident / MIB,
              heap / MIB,
              direct / MIB,
              buffers,
              opened);
    }
  }

  void add(Sample sample) {
    samples.add(sample);
  }

  /** Whether native objects stay open, or resident memory goes on growing, as far as is known. */
  boolean grows() {
    return samples.stream().anyMatch(sample -> sample.opened != 0)
        || isLong() && growth(Sample::resident) > TOLERATED_GROWTH;
  }

  private boolean isLong() {
    return samples.size() >= FEWEST_SAMPLES;
  }

  /** How much more the mean of the last quarter is than that of the second, as a part of it. */
  double growth(ToDoubleFunction<Sample> value) {
    double before = mean(quarter(1), value);
    return (mean(quarter(QUARTERS - 1), value) - before) / before;
  }

  private List<Sample> quarter(int index) {
    int size = samples.size();
    return samples.subList(
        Math.min(size - 1, size * index / QUARTERS), Math.max(1, size * (index + 1) / QUARTERS));
  }

  private static double mean(List<Sample> of, ToDoubleFunction<Sample> value) {
    return of.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  /** Least squares over all but the first quarter, in the value's unit for each picture. */
  double slope(ToDoubleFunction<Sample> value) {
    List<Sample> settled = samples.subList(samples.size() / QUARTERS, samples.size());
    double meanPicture = mean(settled, Sample::picture);
    double meanValue = mean(settled, value);
    double products = 0;
    double squares = 0;
    for (Sample sample : settled) {
      double distance = sample.picture - meanPicture;
      products += distance * (value.applyAsDouble(sample) - meanValue);
      squares += distance * distance;
    }
    return squares == 0 ? 0 : products / squares;
  }

  /** Slopes, growth and the verdict. */
  String summary() {
    Sample last = samples.get(samples.size() - 1);
    return """
        %d pictures in %d s, %d samples
        resident: slope %+.2f MiB for 100 pictures, last quarter over second %+.1f %%
        direct buffers: slope %+.2f MiB for 100 pictures
        verdict: %s"""
        .formatted(
            last.picture,
            last.passed.toSeconds(),
            samples.size(),
            100 * slope(Sample::resident) / MIB,
            100 * growth(Sample::resident),
            100 * slope(Sample::direct) / MIB,
            grows() ? "GROWS" : isLong() ? "steady" : "too short to tell");
  }
}
