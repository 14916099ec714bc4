package io.github.diffusion4j.family;

import io.github.diffusion4j.VaeTiling.EdgeTiles;
import java.util.ArrayList;
import java.util.List;

/**
 * How latents are cut into overlapping tiles: every row of tiles with every column of them.
 *
 * @param rows from the top
 * @param columns from the left
 */
record TileGrid(List<Span> rows, List<Span> columns) {

  /**
   * What a tile covers of one axis, in latent cells.
   *
   * @param start first cell
   * @param end after the last cell
   */
  record Span(int start, int end) {
    int length() {
      return end - start;
    }
  }

  /**
   * Tiles of one size.
   *
   * @param height of a tile in cells
   * @param width of a tile in cells
   * @param overlap share that lies over the next tile, 0 to 0.5
   * @param edges cut or full tiles at the end
   */
  record Tile(int height, int width, double overlap, EdgeTiles edges) {}

  /** Copies the lists. */
  TileGrid {
    rows = List.copyOf(rows);
    columns = List.copyOf(columns);
  }

  /** One tile: no cuts. */
  static TileGrid whole(int height, int width) {
    return new TileGrid(List.of(new Span(0, height)), List.of(new Span(0, width)));
  }

  /** Tiles over latents; one where both sides fit into it. */
  static TileGrid of(int height, int width, Tile tile) {
    return height <= tile.height && width <= tile.width
        ? whole(height, width)
        : new TileGrid(spans(height, tile.height, tile), spans(width, tile.width, tile));
  }

  private static List<Span> spans(int length, int size, Tile tile) {
    // A stride of half a tile or more: no cell is in more than two cut tiles.
    int stride = Math.max((size + 1) / 2, (int) (size * (1 - tile.overlap)));
    List<Span> spans = new ArrayList<>();
    if (tile.edges == EdgeTiles.CUT) {
      for (int start = 0; start < length; start += stride) {
        spans.add(new Span(start, Math.min(length, start + size)));
      }
    } else {
      int rest = Math.max(0, length - size);
      int gaps = (rest + stride - 1) / stride;
      for (int i = 0; i <= gaps; i++) {
        int start = gaps == 0 ? 0 : (int) ((long) rest * i / gaps);
        spans.add(new Span(start, Math.min(length, start + size)));
      }
    }
    return spans;
  }

  /** Whether there is more than one tile. */
  boolean isTiled() {
    return rows.size() > 1 || columns.size() > 1;
  }

  /** Extent of the whole, from the top. */
  int height() {
    return rows.get(rows.size() - 1).end();
  }

  /** Extent of the whole, from the left. */
  int width() {
    return columns.get(columns.size() - 1).end();
  }

  /** The same tiles in smaller units, such as pixels. */
  TileGrid times(int scale) {
    return scale == 1 ? this : new TileGrid(times(rows, scale), times(columns, scale));
  }

  private static List<Span> times(List<Span> spans, int scale) {
    return spans.stream()
        .map(span -> new Span(span.start() * scale, Math.multiplyExact(span.end(), scale)))
        .toList();
  }
}
