package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.noise.NoiseSource;
import java.util.List;
import org.junit.jupiter.api.Test;

class LatentDistributionTest {

  private static final LatentShape SHAPE = new LatentShape(2, 1, 1, 2);

  @Test
  void samplesAreMeanAndDeviation() {
    float log4 = (float) Math.log(4);
    LatentDistribution encoded =
        LatentDistribution.of(new float[] {1, 2, 0, log4, 3, 4, -1000, 1000}, SHAPE);
    assertFalse(encoded.isCertain());
    assertArrayEquals(new float[] {1, 2, 3, 4}, encoded.mode());
    float[] sample = encoded.sample(NoiseSource.replay(List.of(new float[] {1, 1, 1, 1}))).clone();
    assertEquals(2, sample[0], 1e-6);
    assertEquals(4, sample[1], 1e-6);
    assertEquals(3 + Math.exp(-15), sample[2], 1e-6, "log variance counts as at least -30");
    assertEquals(4 + Math.exp(10), sample[3], 1e-2, "log variance counts as at most 20");
  }

  @Test
  void certainLatentsDrawNothing() {
    LatentDistribution encoded = LatentDistribution.certain(new float[] {1, 2, 3, 4}, SHAPE);
    assertTrue(encoded.isCertain());
    NoiseSource none =
        dst -> {
          throw new AssertionError("drawn");
        };
    assertArrayEquals(new float[] {1, 2, 3, 4}, encoded.sample(none));
  }

  @Test
  void picturesAreSharedAmongImagesInOrder() {
    LatentDistribution encoded = LatentDistribution.certain(new float[] {1, 2, 3, 4}, SHAPE);
    assertArrayEquals(new float[] {1, 2, 1, 2, 3, 4, 3, 4}, encoded.repeat(4).mode());
    assertEquals(4, encoded.repeat(4).shape().batch());
    assertThrows(IllegalArgumentException.class, () -> encoded.repeat(3));
  }

  @Test
  void wrongNumbersOfValuesAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> LatentDistribution.certain(new float[3], SHAPE));
    assertThrows(IllegalArgumentException.class, () -> LatentDistribution.of(new float[4], SHAPE));
  }
}
