package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When the native heap is trimmed; the effect is measured by the soak run. */
class NativeHeapTest {

  @ParameterizedTest(name = "{0} MiB, now {1}")
  @CsvSource({
    "0, 32, false",
    "0, 33, true",
    "400, 432, false",
    "400, 433, true",
    "8000, 8400, false",
    "8000, 8501, true",
    "800, 500, false"
  })
  void trimsWhenTheProcessHasGrown(long settled, long resident, boolean trims) {
    assertEquals(trims, NativeHeap.grown(settled << 20, resident << 20));
  }

  @Test
  void growthCountsFromTheLeastSinceTheLastTrim() {
    AtomicLong resident = new AtomicLong();
    AtomicInteger trims = new AtomicInteger();
    NativeHeap heap = new NativeHeap(resident::get, trims::incrementAndGet);
    List<Integer> found = new ArrayList<>();
    for (long now : new long[] {800, 800, 500, 540}) {
      resident.set(now << 20);
      heap.trimIfGrown();
      found.add(trims.get());
    }
    assertEquals(List.of(1, 1, 1, 2), found);
  }
}
