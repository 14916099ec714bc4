package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.diffusion4j.ModelFormatException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DistanceBucketsTest {

  /**
   * Distances to later tokens at which the reference (transformers 4.57.6) takes the next bucket.
   */
  @ParameterizedTest
  @CsvSource({
    "32, 128, 1 2 3 4 5 6 7 8 12 16 23 32 46 64 91",
    "8, 32, 1 2 8",
    "32, 100, 1 2 3 4 5 6 7 8 11 16 21 29 39 54 73",
    "16, 20, 1 2 3 4 6 9 14"
  })
  void bucketsAreTheReferences(int buckets, int farthest, String changes) {
    DistanceBuckets distances = new DistanceBuckets(buckets, farthest);
    List<String> found = new ArrayList<>();
    for (int distance = 1; distance <= 300; distance++) {
      if (distances.of(distance) != distances.of(distance - 1)) {
        found.add(Integer.toString(distance));
      }
      assertEquals(distances.of(distance) - buckets / 2, distances.of(-distance));
    }
    assertEquals(changes, String.join(" ", found));
    assertEquals(buckets - 1, distances.of(300));
    assertEquals(0, distances.of(0));
  }

  @Test
  void oddOnesAreRefused() {
    assertThrows(ModelFormatException.class, () -> new DistanceBuckets(7, 128));
    assertThrows(ModelFormatException.class, () -> new DistanceBuckets(32, 8));
    assertThrows(ModelFormatException.class, () -> new DistanceBuckets(32, Integer.MAX_VALUE));
  }
}
