package io.github.diffusion4j.family;

import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.VaeTiling.EdgeTiles;
import io.github.diffusion4j.VaeTiling.Mode;
import io.github.diffusion4j.onnx.TensorSpec;

/**
 * Decides whether an autoencoder's networks work on whole pictures or on tiles, and on which.
 *
 * @param tiling what the user wants
 * @param factor pixels per latent cell along an axis
 * @param ownSize side of the autoencoder's own tile in latent cells
 * @param memory what decoding takes
 */
record TilePlan(VaeTiling tiling, int factor, int ownSize, Memory memory) {

  private static final int SMALLEST = 32; // cells: 256 pixels, where memory halves the tiles

  /**
   * What decoding certainly takes: not all of it at the same time, the larger of the two.
   *
   * @param bytesPerPixel input and output of a full-size convolution
   * @param bytesPerCellPair attention's scores, for each pair of latent cells; 0 without attention
   */
  record Memory(long bytesPerPixel, long bytesPerCellPair) {
    double least(double cells, int factor) {
      return Math.max(cells * factor * factor * bytesPerPixel, cells * cells * bytesPerCellPair);
    }

    /** What it takes at its peak in practice: the runtime keeps more, and rounds up. */
    double likely(double cells, int factor) {
      return PEAK * least(cells, factor);
    }
  }

  /** Peak of ONNX Runtime over what is certain; measured with the autoencoder of version 1.5. */
  private static final double PEAK = 4;

  TilePlan {
    if (tiling.tileSize() > 0 && tiling.tileSize() < 2 * factor) {
      throw new IllegalArgumentException(
          "tileSize must be 0 or at least %d pixels, two latent cells of this model, got %d"
              .formatted(2 * factor, tiling.tileSize()));
    }
  }

  /** The same where it may take so many bytes. */
  TilePlan withMemoryLimit(long bytes) {
    return new TilePlan(tiling.withMemoryLimit(bytes), factor, ownSize, memory);
  }

  /**
   * The tiles of a picture.
   *
   * @param height in latent cells
   * @param width in latent cells
   * @param network the side of the network that has a shape, fixed or not
   */
  TileGrid grid(int height, int width, TiledNetwork.Port network) {
    TensorSpec spec = network.spec();
    if (tiling.mode() == Mode.OFF) {
      return TileGrid.whole(height, width);
    }
    if (spec.dim(2) > 0 && spec.dim(3) > 0) { // exported for one size: that is the tile
      int fixedHeight = (int) spec.dim(2) / network.scale();
      int fixedWidth = (int) spec.dim(3) / network.scale();
      return height < fixedHeight || width < fixedWidth
          ? TileGrid.whole(height, width)
          : TileGrid.of(
              height,
              width,
              new TileGrid.Tile(fixedHeight, fixedWidth, tiling.overlap(), EdgeTiles.FULL));
    }
    boolean fits = memory.likely((double) height * width, factor) <= limit();
    return tiling.mode() == Mode.AUTO && fits
        ? TileGrid.whole(height, width)
        : forced(height, width);
  }

  /** Tiles, whether the whole fits or not. */
  private TileGrid forced(int height, int width) {
    int size = size();
    return TileGrid.of(
        height, width, new TileGrid.Tile(size, size, tiling.overlap(), tiling.edges()));
  }

  private int size() {
    if (tiling.tileSize() > 0) {
      return tiling.tileSize() / factor;
    }
    int size = ownSize;
    while (tiling.mode() == Mode.AUTO
        && size >= 2 * SMALLEST
        && memory.likely((double) size * size, factor) > limit()) {
      size /= 2;
    }
    return size;
  }

  private double limit() {
    return tiling.memoryLimit() > 0 ? tiling.memoryLimit() : MachineMemory.BYTES / 2;
  }

  /** What the largest tile of a picture takes at the least. */
  double least(TileGrid grid) {
    double cells =
        (double) grid.rows().stream().mapToInt(TileGrid.Span::length).max().orElse(0)
            * grid.columns().stream().mapToInt(TileGrid.Span::length).max().orElse(0);
    return memory.least(cells, factor);
  }
}
