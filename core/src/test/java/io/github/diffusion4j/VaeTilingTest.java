package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.VaeTiling.EdgeTiles;
import io.github.diffusion4j.VaeTiling.Mode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VaeTilingTest {

  @Test
  void copiesChangeOneThing() {
    assertEquals(
        new VaeTiling(Mode.ON, 256, 0.5, EdgeTiles.FULL, 1000),
        VaeTiling.ON
            .withTileSize(256)
            .withOverlap(0.5)
            .withEdges(EdgeTiles.FULL)
            .withMemoryLimit(1000));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 0.51, Double.NaN})
  void overlapsOutOfRangeAreNamed(double overlap) {
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> VaeTiling.AUTO.withOverlap(overlap));
    assertTrue(thrown.getMessage().contains("overlap"), thrown.getMessage());
  }

  @Test
  void negativeSizesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> VaeTiling.AUTO.withTileSize(-1));
    assertThrows(IllegalArgumentException.class, () -> VaeTiling.AUTO.withMemoryLimit(-1));
  }
}
