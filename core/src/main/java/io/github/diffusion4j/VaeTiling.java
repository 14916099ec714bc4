package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

/**
 * Whether and how the autoencoder works on overlapping tiles of a picture, which bounds its memory.
 * The overlaps are blended linearly. Tiles change the picture a little: the normalization and the
 * attention of an autoencoder see a tile, no longer the whole picture.
 *
 * @param mode when to tile
 * @param tileSize side of a tile in pixels, cut to whole latent cells; 0 for the size that the
 *     autoencoder was trained on ({@code sample_size}), halved where that does not fit the memory
 *     in mode {@link Mode#AUTO}
 * @param overlap share of a tile that lies over the next one, 0 to 0.5
 * @param edges what happens to tiles at the right and lower edges
 * @param memoryLimit bytes that decoding may take in mode {@link Mode#AUTO}; 0 for half of the
 *     machine's memory
 */
public record VaeTiling(
    Mode mode, int tileSize, double overlap, EdgeTiles edges, long memoryLimit) {

  /** When to tile. */
  public enum Mode {
    /** Where the whole picture would not fit the memory. */
    AUTO,
    /** Every picture larger than a tile. */
    ON,
    /** Never. */
    OFF
  }

  /** Tiles at the right and lower edges. */
  public enum EdgeTiles {
    /** They are cut off where the picture ends, as diffusers does: the same numbers. */
    CUT,
    /** All tiles have the full size and are spread evenly: one shape, often a smoother picture. */
    FULL
  }

  /** The overlap of diffusers. */
  public static final double DEFAULT_OVERLAP = 0.25;

  /** Tiles where memory asks for it. */
  public static final VaeTiling AUTO = of(Mode.AUTO);

  /** Tiles every picture that is larger than a tile, like diffusers' {@code enable_tiling}. */
  public static final VaeTiling ON = of(Mode.ON);

  /** Never tiles. */
  public static final VaeTiling OFF = of(Mode.OFF);

  /** Checks the ranges. */
  public VaeTiling {
    requireNonNull(mode, "mode");
    requireNonNull(edges, "edges");
    if (tileSize < 0) {
      throw new IllegalArgumentException(
          "tileSize must be 0 (the autoencoder's own) or more pixels, got " + tileSize);
    }
    if (!(overlap >= 0 && overlap <= 0.5)) {
      throw new IllegalArgumentException("overlap must be in [0, 0.5], got " + overlap);
    }
    if (memoryLimit < 0) {
      throw new IllegalArgumentException(
          "memoryLimit must be 0 (half of the machine's memory) or more bytes, got " + memoryLimit);
    }
  }

  private static VaeTiling of(Mode mode) {
    return new VaeTiling(mode, 0, DEFAULT_OVERLAP, EdgeTiles.CUT, 0);
  }

  /**
   * With another size of tiles.
   *
   * @param pixels side of a tile; 0 for the autoencoder's own
   * @return a copy
   */
  public VaeTiling withTileSize(int pixels) {
    return new VaeTiling(mode, pixels, overlap, edges, memoryLimit);
  }

  /**
   * With another overlap.
   *
   * @param share 0 to 0.5
   * @return a copy
   */
  public VaeTiling withOverlap(double share) {
    return new VaeTiling(mode, tileSize, share, edges, memoryLimit);
  }

  /**
   * With other tiles at the edges.
   *
   * @param tiles cut or full
   * @return a copy
   */
  public VaeTiling withEdges(EdgeTiles tiles) {
    return new VaeTiling(mode, tileSize, overlap, tiles, memoryLimit);
  }

  /**
   * With another memory limit.
   *
   * @param bytes 0 for half of the machine's memory
   * @return a copy
   */
  public VaeTiling withMemoryLimit(long bytes) {
    return new VaeTiling(mode, tileSize, overlap, edges, bytes);
  }
}
