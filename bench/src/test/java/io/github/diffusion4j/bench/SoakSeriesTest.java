package io.github.diffusion4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SoakSeriesTest {

  @TempDir Path folder;

  private static SoakSeries series(int samples, IntToLongFunction resident, int opened) {
    SoakSeries series = new SoakSeries();
    for (int i = 1; i <= samples; i++) {
      series.add(
          new SoakSeries.Sample(
              10 * i, Duration.ofSeconds(i), resident.applyAsLong(i), 1, 1, 1, opened));
    }
    return series;
  }

  @Test
  void whatLevelsOffIsSteady() {
    SoakSeries series = series(100, i -> 400L + Math.min(i, 20), 0);
    assertFalse(series.grows());
    assertEquals(0, series.slope(SoakSeries.Sample::resident), 1e-9);
  }

  @Test
  void whatGoesOnGrowingIsTold() {
    SoakSeries series = series(100, i -> 400L + 2 * i, 0);
    assertTrue(series.grows());
    assertEquals(0.2, series.slope(SoakSeries.Sample::resident), 1e-9);
    assertTrue(series.summary().endsWith("GROWS"));
  }

  @Test
  void nativeObjectsThatStayOpenAreALeakFromTheFirst() {
    assertTrue(series(1, i -> 1, 3).grows());
  }

  @Test
  void aFewSamplesSayNothing() {
    assertTrue(series(3, i -> 100L * i, 0).summary().endsWith("too short to tell"));
  }

  @Test
  void aRecordingIsSummedUp() throws Exception {
    try (Flight flight = Flight.begin()) {
      System.gc();
      String summary = flight.end(folder.resolve("flight.jfr"));
      assertTrue(summary.startsWith("collections: "), summary);
      assertFalse(summary.startsWith("collections: 0"), summary);
    }
  }
}
